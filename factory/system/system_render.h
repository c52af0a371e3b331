/* SPDX-License-Identifier: Apache-2.0 */
/* system_render.h - what an installation writes: /exports with all values in their places
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given, bytes of files where /exports has them.
 * Fails with: ERR_USAGE (a variable that cannot be set, or has no value), ERR_MALFORMED (templates, JSON and paths of the
 * image that break a rule).
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_RENDER_H
#define IMGFACTORY_SYSTEM_SYSTEM_RENDER_H

#include "system/system_values.h"

/* A file, link or empty directory for the host. */
struct rendered_file {
    const char *path; /* on the host, renamed */
    enum entry_kind kind;
    uint32_t mode;
    struct text data;   /* ENTRY_FILE */
    const char *target; /* ENTRY_SYMLINK */
};

struct rendered_files {
    struct rendered_file *items;
    size_t count, capacity;
};

struct rendered {
    bool has_service;
    struct text config, unit, tmpfiles; /* len 0: there is none */
    struct rendered_files files;
    struct system_values values; /* all of them */
};

struct render_request {
    const struct system_exports *exports;
    const struct system_values *set; /* by the user, now and before */
    struct system_facts facts;
    struct text image_config, passwd, group; /* of the image, for a configuration of the runtime by default */
    const char *rootfs;                      /* the tree that is run, as config.json says it; NULL: "rootfs" */
};

/* Checks what `--set` says against what can be set: by the image's templates or the installer. */
bool system_check_set(struct arena *arena, const struct system_exports *exports, const struct system_values *set,
                      struct err *err) MUST_CHECK;
/* Tells where a file of hostfs goes on the host: each folder of its path and the whole may have another name there. */
bool system_rename(struct arena *arena, const struct system_manifest *manifest, const struct system_values *values,
                   const char *path, const char **ret_path, struct err *err) MUST_CHECK;
/* Puts everything together. */
bool system_render(struct arena *arena, const struct render_request *request, struct rendered *ret_rendered,
                   struct err *err) MUST_CHECK;

#endif
