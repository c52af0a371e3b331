/* SPDX-License-Identifier: Apache-2.0 */
/* unpacking.h - entries of a package while they come: for the formats' unpack()
 *
 * What .deb and .rpm have in common: canonical paths, limits, links that merged /usr already makes, paths that come
 * twice, parents that are no directories, and the tables at the end.
 * Threads: one thread.
 * Owns: arena and blob, until unpacking_done().
 * Fails with: ERR_MALFORMED, naming the entry; ERR_LOCAL (store.h).
 */
#ifndef IMGFACTORY_PACKAGE_UNPACKING_H
#define IMGFACTORY_PACKAGE_UNPACKING_H

#include "base/map.h"
#include "package/package_unpack.h"

/* An entry before sorting. */
struct unpacked {
    struct entry entry;
    uint64_t data_offset;
    const char *end; /* of a link: where it leads from the place where it is spelled; NULL: out of the root */
    bool is_aliased; /* spelled below /bin, /lib, …, not below /usr */
};

/* One package while it is unpacked. */
struct unpacking {
    const struct unpack_limits *limits;
    struct arena arena;
    struct blob blob;
    struct package package;
    LIST(struct unpacked *) items;
    struct map by_path; /* canonical path → struct unpacked * */
    size_t name_bytes;
};

/* Begins. */
void unpacking_init(struct unpacking *unpacking, const struct unpack_limits *limits);
/* Frees all; for AUTO(). */
void unpacking_done(struct unpacking *unpacking);

/* Refuses an entry: returns false. */
bool unpacking_fault(struct unpacking *unpacking, const char *path, const char *what, struct err *err);
/* Makes a written path canonical; NULL when it is refused. */
const char *unpacking_path(struct unpacking *unpacking, const char *written, struct err *err) MUST_CHECK;
/* Counts an entry's names against the limits; `target` may be NULL. */
bool unpacking_count(struct unpacking *unpacking, const char *path, const char *target, struct err *err) MUST_CHECK;
/* Begins an entry as it is written; `target` is that of a symbolic link, else NULL. *ret_draft is NULL when there is
 * nothing to add: the root directory, or a link that merged /usr is. */
bool unpacking_begin(struct unpacking *unpacking, const char *written, enum entry_kind kind, const char *target,
                     struct unpacked **ret_draft, struct err *err) MUST_CHECK;
/* Adds a filled draft. */
bool unpacking_add(struct unpacking *unpacking, struct unpacked *draft, struct err *err) MUST_CHECK;
/* Checks the parents of all and writes the tables. */
bool unpacking_finish(struct unpacking *unpacking, struct err *err) MUST_CHECK;

#endif
