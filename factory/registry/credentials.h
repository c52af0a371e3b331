/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - user names and secrets of registries, from the files that podman, skopeo and docker use
 *
 * containers-auth.json(5) and docker's config.json. Order: --authfile, REGISTRY_AUTH_FILE (each exclusive),
 * $XDG_RUNTIME_DIR/containers/auth.json (or /run/containers/UID/auth.json, unless nobody may look into it), $XDG_CONFIG_HOME/containers/auth.json,
 * $DOCKER_CONFIG/config.json or ~/.docker/config.json, ~/.dockercfg. Per file: credHelpers[host], then auths from
 * host/ns/repo to host, then URL-shaped keys, then (docker's file) credsStore. A helper that has nothing for the host
 * sends the search to the next file. Helpers are run as child processes with a time-out (docker-credential-NAME get);
 * a credsStore whose program is not installed counts as empty, as with docker. A secret never appears in messages;
 * struct credential is printed by nothing and wiped when freed.
 * Threads: loaded by one thread, then const.
 * Owns: a credential owns user and secret until credential_done(); `from` is in the arena.
 * Fails with: ERR_USAGE (broken file, with its path; a helper's wrong answer), ERR_LOCAL.
 */
#ifndef IMGFACTORY_REGISTRY_CREDENTIALS_H
#define IMGFACTORY_REGISTRY_CREDENTIALS_H

#include "io/lock.h"
#include "registry/reference.h"

struct credential {
    char *user;             /* NULL for none: anonymous */
    char *secret;           /* password or token; wiped by credential_done() */
    bool is_identity_token; /* secret is a refresh token (identitytoken, or user "<token>"); user is never NULL then */
    bool is_registry_token; /* secret is a bearer token for the registry itself (registrytoken), to be sent as it is;
                               user is NULL then */
    const char *from;       /* file or helper it came from: for messages */
};

/* Finds the credential for a repository; user and secret NULL when there is none. `authfile` may be NULL. */
bool credential_find(struct arena *arena, const char *authfile, const struct reference *reference,
                     struct credential *ret_credential, struct err *err) MUST_CHECK;
/* Wipes and frees. For AUTO(). */
void credential_done(struct credential *credential);
/* Writes a credential for `host` ("HOST[:PORT]", or with "/NAMESPACE…" behind it) into the file that podman login would write ($XDG_RUNTIME_DIR/containers/auth.json,
 * REGISTRY_AUTH_FILE or `authfile`; ~/.config/containers/auth.json where the first is none), mode 0600, keeping everything else; *ret_path is the file. When the file names a
 * helper for the host, the helper keeps it instead, as with podman. The directory is locked meanwhile, waited for as
 * `wait` (may be NULL) says. */
bool credential_store(struct arena *arena, const char *authfile, const struct lock_wait *wait, const char *host,
                      const struct credential *credential, const char **ret_path, struct err *err) MUST_CHECK;
/* Whether a file that credential_store() wrote ends with the session or the next start of the machine. */
bool credential_is_fleeting(const char *path);
/* Removes the credential of `host`; *ret_found tells whether there was one. */
bool credential_remove(struct arena *arena, const char *authfile, const struct lock_wait *wait, const char *host,
                       bool *ret_found, struct err *err) MUST_CHECK;

#endif
