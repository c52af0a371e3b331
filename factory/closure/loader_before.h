/* SPDX-License-Identifier: Apache-2.0 */
/* loader_before.h - libraries that who opens a plug-in may have opened before it
 *
 * The loader takes what is loaded already for a DT_NEEDED that has its DT_SONAME, and looks for no file then (glibc's
 * _dl_map_object() of elf/dl-load.c). Programs with directories of their own rely on it: java opens libjvm.so by its path
 * before libjava.so, which needs "libjvm.so" and has no search path to it. Which path a program opens is not known; that
 * a library of the same package, or of the plug-in's directory or one below, is the one that is meant is plain. What lies
 * in a directory of the loader is none: there the search would have found it.
 * Threads: before_collect() on one; then const.
 * Owns: nothing; results live in the arena, and point into the set.
 */
#ifndef IMGFACTORY_CLOSURE_LOADER_BEFORE_H
#define IMGFACTORY_CLOSURE_LOADER_BEFORE_H

#include "closure/loader.h"

/* Libraries outside the loader's directories. */
struct before {
    struct arena *arena;
    struct map by_name; /* DT_SONAME, or the name of a file without one → struct sourced_list * */
};

/* Lists the libraries of the loader's set that are for its architecture. */
void before_collect(struct arena *arena, const struct loader *loader, struct before *ret_before);
/* Finds the library that a file means by a name; NULL when there is none. */
const struct sourced *before_find(const struct before *before, const struct sourced *file, const char *name);

#endif
