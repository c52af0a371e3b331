/* SPDX-License-Identifier: Apache-2.0 */
/* system_make_parts.h - parts of the runtime's configuration; private to system/
 *
 * Threads: pure functions of their inputs.
 * Owns: the caller owns what is JSON.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_MAKE_PARTS_H
#define IMGFACTORY_SYSTEM_SYSTEM_MAKE_PARTS_H

#include "system/system_make.h"

/* Who runs in the container. */
struct make_user {
    uint64_t uid, gid;
    struct text name; /* len 0: not known */
};

/* A path of the host that is mounted. */
struct make_bind {
    const char *source, *path; /* source as the configuration has it */
    char line;                 /* of tmpfiles.d: d, f; 0: it is on every host */
    bool is_shared, is_read_only, is_own;
    uint32_t mode, uid, gid;
};

struct make_binds {
    struct make_bind *items;
    size_t count, capacity;
};

/* Returns a text with its dollars doubled where the result is a template. */
const char *make_literal(struct arena *arena, const struct make_request *request, const char *text);
/* Returns a path of the host with variables for its usual folders. */
const char *make_host_path(struct arena *arena, const struct make_request *request, const char *path);
/* Returns the numbers of the user who runs. */
struct make_user make_user_of(const struct make_request *request);
/* Returns the numbers of the groups that list a user. */
json_t *make_groups_of(const struct make_request *request, struct text name);
/* Lists what of the host is mounted: the contract's paths, volumes, names of hosts and of name servers. */
struct make_binds make_binds_of(struct arena *arena, const struct make_request *request);
/* Make the members `mounts` and `linux`. */
json_t *make_mounts(struct arena *arena, const struct make_request *request);
json_t *make_linux(struct arena *arena, const struct make_request *request);

#endif
