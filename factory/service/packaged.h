/* SPDX-License-Identifier: Apache-2.0 */
/* packaged.h - the small text files of a service's own packages: units, environment files, profiles of ports
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts are borrowed from the packages' mapped bytes.
 * Fails with: ERR_TRUST (bytes are not those that were unpacked), ERR_MALFORMED (a file is too big).
 */
#ifndef IMGFACTORY_SERVICE_PACKAGED_H
#define IMGFACTORY_SERVICE_PACKAGED_H

#include "closure/fileset.h"
#include "plan/wishes.h"

#define PACKAGED_BYTES_MAX ((size_t)1 << 18)

/* The packages that are looked into: all of the service's own source, sorted by name, and the set that they are in. */
struct packaged {
    const struct fileset *set;
    const struct package *const *packages;
    size_t count;
};

/* A file of one of them. */
struct packaged_file {
    const struct package *package;
    const struct entry *entry;
};

struct packaged_files {
    struct packaged_file *items;
    size_t count, capacity;
};

/* Lists the regular files and links right below the directory whose names end so, sorted by path, then package. */
void packaged_list(struct arena *arena, const struct packaged *packaged, const char *dir, const char *suffix,
                   struct packaged_files *ret_files);
/* Finds the file at a canonical path; NULL when none of the packages has one there. */
const struct packaged_file *packaged_find(struct arena *arena, const struct packaged *packaged, const char *path);
/* Gives the bytes of a file; those of a link are what it leads to within the set, none when that is nowhere. */
bool packaged_text(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file,
                   struct text *ret_text, struct err *err) MUST_CHECK;
/* Gives the bytes of the file at a canonical path as an image has it: what is made there (`made` may be NULL), or a copy of
 * a packaged file; else the packages' file. */
bool packaged_read(struct arena *arena, const struct packaged *packaged, const struct wishes *made, const char *path,
                   struct text *ret_text, bool *ret_found, struct err *err) MUST_CHECK;
/* Returns where a program's path really leads in the set: the canonical path, whether something is there or not. */
const char *packaged_reached(struct arena *arena, const struct packaged *packaged, const char *path);

#endif
