/* SPDX-License-Identifier: Apache-2.0 */
/* openers.h - which files of a tree open others with dlopen(3), and what of that the tree has not
 *
 * A static walk cannot follow dlopen; it can say who calls it, and which strings in the file look like plug-ins that
 * nothing in the tree covers: a directory below which it has no ELF file, a file name of a shared object that it has
 * not. The loader and the C library, which implement dlopen, are left out.
 * Threads: any; pure function of its inputs.
 * Owns: results live in the arena.
 */
#ifndef IMGFACTORY_PROOF_OPENERS_H
#define IMGFACTORY_PROOF_OPENERS_H

#include "plan/features.h"
#include "tree/tree.h"

struct opener {
    const char *path;      /* of the file that imports dlopen or dlmopen */
    struct strings absent; /* strings that look like plug-ins and are not in the tree, at most 8 */
    const char *feature;   /* of those that are known that would bring the first one it knows, or NULL */
};

struct openers {
    struct opener *items;
    size_t count, capacity;
};

/* Lists the openers that have absent strings, or no strings at all (the names are computed), in the order of the tree.
 */
void openers_find(struct arena *arena, const struct features *features, const struct tree *tree,
                  struct openers *ret_openers);

#endif
