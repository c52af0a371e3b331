/* SPDX-License-Identifier: Apache-2.0 */
/* locate.h - collecting the paths of one base name that a program or a service may have, with who ships them
 *
 * For the formats' catalogs, which find the paths in their indices; catalog_locate() is what everybody else asks.
 * Threads: belongs to the thread that asks.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SOURCE_LOCATE_H
#define IMGFACTORY_SOURCE_LOCATE_H

#include "source/catalog.h"

/* One collection. */
struct locate {
    struct arena *arena;
    const char *base;
    enum located_kind kind;
    struct locations found;
};

/* Adds a package for the path of the base name in a directory (canonical, "usr/sbin"), unless no program or service lies
 * there. */
void locate_add(struct locate *locate, const char *dir, struct text package);
/* Drops packages for which `keeps` returns false, paths without any, sorts both; and, where a path has a program in a
 * directory of everybody's PATH, those elsewhere. */
void locate_settle(struct locate *locate, bool (*keeps)(const void *context, const char *package), const void *context);

#endif
