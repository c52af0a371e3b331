/* SPDX-License-Identifier: Apache-2.0 */
/* system_info.h - what is remembered of one version of a system container: the file `info` in its folder
 *
 * `atomic`'s format (Atomic/syscontainers.py, _write_info_file), so that what it installed can be updated and removed, with
 * more: which values the user set, and of each file for the host where its bytes lie in the version's folder.
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_MALFORMED (no such document), ERR_LOCAL.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_INFO_H
#define IMGFACTORY_SYSTEM_SYSTEM_INFO_H

#include "system/system_render.h"

#define SYSTEM_INFO_MAX_BYTES ((size_t)16 << 20)

/* A file that a version brings to the host. */
struct info_file {
    const char *path;
    enum entry_kind kind;
    uint32_t mode;
    const char *digest; /* hex of its bytes, or of a link's target; "0" for a directory */
    const char *target; /* of a link */
    bool is_installed;  /* it was put there; else somebody else's file was in its place, and stays */
};

struct info_files {
    struct info_file *items;
    size_t count, capacity;
};

struct system_info {
    const char *image, *revision; /* as it was asked for; its digest, "sha256:…" */
    const char *version;          /* label, or NULL */
    const char *rootfs;           /* a tree that was already there; or NULL */
    const char *runtime;
    int64_t created_time;
    bool has_service;
    bool is_active; /* the unit, when the switch was done on a live host; not remembered */
    struct system_values values, set;
    struct info_files files;
    struct strings folders; /* of the host that were made for files */
};

/* Reads the document. */
bool system_info_parse(struct arena *arena, const char *name, struct text text, struct system_info *ret_info,
                       struct err *err) MUST_CHECK;
/* Makes the document. */
struct text system_info_text(struct arena *arena, const struct system_info *info);
/* Finds a file by its path on the host; NULL when there is none. */
const struct info_file *system_info_file(const struct system_info *info, const char *path);

#endif
