/* SPDX-License-Identifier: Apache-2.0 */
/* metapackages.h - packages under `packages: install` that ship nothing themselves, and what they stand for
 *
 * A whole package without files (links alone lead to others') is a name for what it depends on. Whole are then those of its direct dependencies that
 * are of its own source package; the others come as far as the closure needs them, and a note says so.
 * Threads: pure functions of their inputs.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_LINE_METAPACKAGES_H
#define IMGFACTORY_LINE_METAPACKAGES_H

#include "line/needs.h"

/* What metapackages stand for. */
struct metapackages {
    struct wishes wishes; /* with what they bring whole */
    struct strings notes; /* a sentence for each */
    bool is_partial;      /* a package that one of them brings whole is not open yet */
};

/* Returns whether a package ships nothing but documentation, directories and links. */
bool metapackage_is(const struct family *family, const struct package *package);
/* Looks at the wishes' whole packages that are open. */
void metapackages_find(struct arena *arena, const struct catalog *catalog, const struct opened *opened,
                       const struct wishes *wishes, struct metapackages *ret_found);

#endif
