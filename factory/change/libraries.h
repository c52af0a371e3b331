/* SPDX-License-Identifier: Apache-2.0 */
/* libraries.h - which shared libraries came, went or changed: their sonames, and the symbols that they define
 *
 * Of the files that differ those are looked at whose name has ".so": in the packages that gave them, as far as the cache has
 * these, or in the image's layers when they were read. A library is the same by its soname, wherever it lies. Symbols are
 * those that others can use: defined, not local, with their version ("SSL_new@OPENSSL_3.0.0"). Of one library the first
 * LIBRARY_SYMBOLS_MAX of each kind are listed, all are counted.
 * Threads: the caller's.
 * Owns: struct libraries what was learnt, until libraries_done(); results live there, and in the arena given.
 */
#ifndef IMGFACTORY_CHANGE_LIBRARIES_H
#define IMGFACTORY_CHANGE_LIBRARIES_H

#include "base/map.h"
#include "change/change.h"

#define LIBRARY_SYMBOLS_MAX 500u

struct library_change {
    enum change_kind kind; /* CHANGE_CHANGED: it defines other symbols */
    const char *soname;
    const char *before, *after; /* paths; NULL where there is none */
    struct strings symbols_came, symbols_went;
    size_t came_count, went_count;
};

/* What was learnt of libraries: many images have the same. Zero-initialise, with .store. */
struct libraries {
    struct store *store; /* NULL: nothing can be read but layers */
    struct arena arena;
    struct map sonames; /* a file's digest → its soname; "": it has none */
    struct map pairs;   /* two digests → struct library_change, of the symbols */
};

/* Fills change->libraries; what could not be read is noted. */
void libraries_tell(struct arena *arena, struct libraries *libraries, struct change *change);
/* Frees. Accepts a zeroed one. For AUTO(). */
void libraries_done(struct libraries *libraries);

#endif
