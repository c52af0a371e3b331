/* SPDX-License-Identifier: Apache-2.0 */
/* applied.h - the recipes that apply to one order: those of packages that give files of the image
 *
 * Threads: pure functions of their inputs.
 */
#ifndef IMGFACTORY_EFFECT_APPLIED_H
#define IMGFACTORY_EFFECT_APPLIED_H

#include "closure/closure.h"
#include "plan/recipe.h"

/* In the order in which they were found; within one round by name. Once a recipe applies, it stays. */
struct applied {
    const struct recipe **items;
    size_t count, capacity;
};

/* Adds the recipes of packages that give a file or link of `keep`, and returns whether there were new ones; where packages are
 * installed only those that are for that, too. */
bool applied_add(struct arena *arena, const struct recipes *recipes, const struct keep *keep, bool is_installed,
                 struct applied *applied);
/* Returns the manifest's wishes merged with those of the recipes, in the order of their names; packages that the manifest
 * never wants are left out. */
struct wishes applied_wishes(struct arena *arena, const struct manifest *manifest, const struct applied *applied);

#endif
