/* SPDX-License-Identifier: Apache-2.0 */
/* opening.h - which packages of a selection are fetched and unpacked, and in which order
 *
 * Opened at once: what is asked for, packages of the same sources, those that are named, and likely ones (solve.h) of which the
 * file indices do not tell. Of the others the indices tell, when they are at hand: what the closure (or anything behind it) looked
 * for in the open packages and did not find, and each library that a kept file needs, wherever it was found. The packages that they
 * name are opened, until none is named that is closed. So no closed package has a path that anybody looked for, and the result
 * is that of all likely packages.
 * Threads: the order's thread; opening blocks.
 * Owns: nothing.
 * Fails with: as supply.h and catalog.h.
 */
#ifndef IMGFACTORY_LINE_OPENING_H
#define IMGFACTORY_LINE_OPENING_H

#include "line/needs.h"

/* Which packages are opened. Each has those of the ones before it. */
enum reach {
    REACH_LEAN,   /* those that are opened at once, and what the indices told */
    REACH_LIKELY, /* the likely ones */
    REACH_ALL,
};

/* Tells how to begin with a selection: lean when the file indices are at hand, or cost fewer bytes than what might be left out. */
bool opening_begin(const struct order *order, struct closed *closed, enum reach *ret_reach, struct err *err) MUST_CHECK;
/* FETCH, UNPACK: opens packages, and when it is lean also those with the libraries that they need. */
bool opening_open(const struct order *order, enum reach reach, struct closed *closed, struct err *err) MUST_CHECK;
/* Lists the closed packages of the selection that have what was looked for; none when the opening is not lean. */
void opening_ask(const struct order *order, const struct closed *closed, struct strings *ret_names);
/* From now on the indices are asked for packages that are not likely, too, and again for all: instead of opening all. */
void opening_widen(const struct order *order, struct opened *opened);
/* Lists closed packages that are called like a directory of a path that is missing: "/usr/share/NAME". */
void opening_guess(const struct order *order, const struct closed *closed, struct strings *ret_names);
/* Returns whether the image lacks files, and the indices say of all that is missing that packages have it which are not
 * selected. */
bool opening_lacks(const struct order *order, const struct closed *closed);
/* Returns whether a kept file is where it is because of what a package's scripts register (update-alternatives): a closed one
 * may register something better. */
bool opening_is_registered(const struct closed *closed);
/* Adds names to those that were told; returns whether there is any. */
bool opening_tell(const struct order *order, struct asked *asked, const struct strings *names);

#endif
