/* SPDX-License-Identifier: Apache-2.0 */
/* changelog.h - what a package's changelog says that is newer than an older version of the package
 *
 * The package format reads it out of a package that is in the store (format.h: changelog). Entries come newest first; what
 * they say is text of others, to be cleaned by whoever prints it.
 * Threads: no state.
 * Owns: nothing; all lives in the arena given.
 */
#ifndef IMGFACTORY_PACKAGE_CHANGELOG_H
#define IMGFACTORY_PACKAGE_CHANGELOG_H

#include "package/package.h"

/* Limits: of one changelog unpacked (Debian's longest has 9 MB), and of the entries of all; what is above is left out. */
#define CHANGELOG_MAX_BYTES ((size_t)16 << 20)
#define CHANGELOG_ENTRIES_MAX 10000u

struct changelog_entry {
    const char *version; /* as it stands there; NULL: it tells none */
    const char *urgency; /* "medium"; NULL: the format has none */
    int64_t time;        /* seconds since 1970; 0: not readable */
    const char *text;    /* lines as they are, the last without a newline */
};

struct ground;
struct installed;

struct changelog_request {
    struct store *store;
    struct package_expect expect;                     /* the package, without keys */
    const char *since_version, *since_source_version; /* of the older package; the second may be NULL */
    const struct package_expect *older;               /* the older package, if it may be in the store; or NULL */
    const struct ground *ground;                      /* set: it is installed in this file system, and read there */
    const struct installed *installed;                /* the package database there */
    size_t cap_bytes;                                 /* of the entries' texts together */
};

struct changelog {
    LIST(struct changelog_entry) entries;
    size_t text_bytes;
    bool is_cut;           /* a limit was met before the older version was */
    bool is_all;           /* the older version was not met: the changelog was read to its end */
    const char *elsewhere; /* the changelog is that of another package, of this name; nothing was read */
};

/* Adds an entry, copied; false and is_cut when a limit is met. */
bool changelog_add(struct arena *arena, const struct changelog_request *request, const struct changelog_entry *entry,
                   struct text text, struct changelog *changelog);

#endif
