/* SPDX-License-Identifier: Apache-2.0 */
/* names_kept.h - what a name meant before: an answer for one architecture, kept in the store
 *
 * It depends on the word, the indices of packages and paths (the catalog's digest) and this program, which are its key; the
 * packages that were looked into are named by the indices. So a name that was answered costs no look into indices of paths.
 * Threads: coordinating threads.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_LINE_NAMES_KEPT_H
#define IMGFACTORY_LINE_NAMES_KEPT_H

#include "line/names.h"

struct catalog;

/* The answer as strings; NULL where there is none. */
struct names_kept {
    const char *way, *path, *package, *by, *whole, *description, *is_package_needed;
};

/* Finds what was kept for a word; false when nothing was. */
bool names_kept_find(const struct plant *plant, const struct catalog *catalog, const struct name_question *question,
                     struct arena *arena, struct names_kept *ret_kept);
/* Keeps it; what cannot be kept is found again next time. */
void names_kept_store(const struct plant *plant, const struct catalog *catalog, const struct name_question *question,
                      const struct names_kept *kept);

#endif
