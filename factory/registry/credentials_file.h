/* SPDX-License-Identifier: Apache-2.0 */
/* credentials_file.h - one auth file: reading, looking up, changing and writing it (part of credentials.h)
 *
 * Secrets in it are wiped when it is closed. jansson's messages quote what they read, so they are never used.
 * Threads: a file belongs to one thread.
 * Owns: the JSON tree until auth_file_close().
 * Fails with: ERR_USAGE ("PATH: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_REGISTRY_CREDENTIALS_FILE_H
#define IMGFACTORY_REGISTRY_CREDENTIALS_FILE_H

#include "registry/credentials.h"

#include <jansson.h>

#define DOCKER_HUB_HOST "docker.io"
#define DOCKER_HUB_KEY "https://index.docker.io/v1/" /* what docker and its helpers call docker.io */

enum auth_format {
    AUTH_CONTAINERS, /* {"auths": {}, "credHelpers": {}} */
    AUTH_DOCKER,     /* the same, and "credsStore" */
    AUTH_LEGACY,     /* ~/.dockercfg: only what is in "auths" */
};

struct auth_file {
    const char *path;
    enum auth_format format;
    json_t *root; /* NULL: there is no such file */
};

/* Reads a file. One that does not exist gives root NULL. */
bool auth_file_open(struct arena *arena, const char *path, enum auth_format format, struct auth_file *ret_file,
                    struct err *err) MUST_CHECK;
/* Wipes and frees. For AUTO(). */
void auth_file_close(struct auth_file *file);
/* Names the helper that credHelpers has for a host, or the credsStore; NULL for none. */
bool auth_file_helper(struct arena *arena, const struct auth_file *file, const char *host, const char **ret_helper,
                      struct err *err) MUST_CHECK;
bool auth_file_store_helper(struct arena *arena, const struct auth_file *file, const char **ret_helper,
                            struct err *err) MUST_CHECK;
/* Looks into `auths`; leaves ret_credential as it is when there is nothing. */
bool auth_file_find(struct arena *arena, const struct auth_file *file, const struct reference *reference,
                    struct credential *ret_credential, struct err *err) MUST_CHECK;
/* Sets / removes the entry of a host in memory. */
bool auth_file_set(struct arena *arena, struct auth_file *file, const char *host, const struct credential *credential,
                   struct err *err) MUST_CHECK;
bool auth_file_unset(struct arena *arena, struct auth_file *file, const char *host, bool *ret_found,
                     struct err *err) MUST_CHECK;
/* Replaces dirfd/name by the file as it is in memory: atomic, durable, mode 0600. */
bool auth_file_write(const struct auth_file *file, int dirfd, const char *name, struct err *err) MUST_CHECK;
/* Wipes all strings of a JSON tree. */
void auth_json_wipe(json_t *json);
/* Wipes and frees any JSON tree with secrets in it. For AUTO(). */
void auth_json_done(json_t **json);

#endif
