/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - what a package manager keeps of a package that it installed, beside its files: as the package says it
 *
 * package.h has what an image needs of a package; whoever continues the package database of a base image needs more: the
 * control files of a .deb byte by byte, and the paths as they are written there. That is read when it is needed for the first
 * time, and kept in the store.
 * Format of the file: for each item a line "NAME MODE LENGTH", the bytes, a newline. Names have no blanks.
 * Threads: any worker; an open record is const for all.
 * Owns: the mapping, until record_close().
 * Fails with: ERR_MALFORMED (the package), ERR_LOCAL (the store).
 */
#ifndef IMGFACTORY_PACKAGE_RECORD_H
#define IMGFACTORY_PACKAGE_RECORD_H

#include "package/package.h"

struct record_item {
    const char *name;
    uint32_t mode;
    struct text bytes;
};

struct record {
    struct record_item *items;
    size_t count, capacity;
    struct view view; /* private: the mapping */
    struct arena arena;
};

/* Reads the record out of the bytes of a package, as its format does, and keeps it in the store. Run it on a worker. */
bool record_make(struct store *store, struct text bytes, const struct package_expect *expect,
                 struct err *err) MUST_CHECK;
/* Opens what was kept; *ret_found false when it is not there or damaged (it is then dropped). */
bool record_open(struct store *store, const struct package_expect *expect, struct record *ret_record, bool *ret_found,
                 struct err *err) MUST_CHECK;
/* Finds an item by its name; NULL when absent. */
const struct record_item *record_find(const struct record *record, const char *name);
/* Returns an item's bytes; empty when it is absent. */
struct text record_bytes(const struct record *record, const char *name);
/* Unmaps and frees. Accepts a zeroed one. For AUTO(). */
void record_close(struct record *record);

#endif
