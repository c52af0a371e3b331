/* SPDX-License-Identifier: Apache-2.0 */
/* deb_mention.h - which of two packages apt heard of first
 *
 * Where apt has no other reason to take one provider and not the other, it takes the one whose name it met later: of
 * which the first mention, as a package or in a relation of one, comes later in the indices (apt-pkg/depcache.cc,
 * CompareProviders: the package's ID).
 * Threads: const for all.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_DEB_DEB_MENTION_H
#define IMGFACTORY_DEB_DEB_MENTION_H

#include "deb/deb_catalog_parts.h"

/* Where a name stands for the first time: number of the index, place in its text, in apt's order. */
struct deb_mention {
    size_t index;
    uint64_t at;
};

/* Finds the first mention of a name; behind all others when there is none. Reads the whole text of the indices as far as that. */
struct deb_mention deb_mention_find(const struct deb_catalog *catalog, struct text name);
/* Returns whether `a` comes later than `b`. */
bool deb_mention_is_later(const struct deb_mention *a, const struct deb_mention *b);

#endif
