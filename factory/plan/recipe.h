/* SPDX-License-Identifier: Apache-2.0 */
/* recipe.h - what a package's scripts would have done, as data: manifests/recipes/NAME.yaml
 *
 * Scripts of packages are never run. A recipe says instead what belongs to a package: users, groups, directories, files
 * and links to make, further files and packages, environment variables. Its values have the forms of a manifest's and
 * are read by the same tables. manifests/README.md, "Recipes", describes every key.
 * A recipe applies when one of its packages gives a file of the image. Its wishes then are merged with the
 * manifest's, which always win: what they say of a path, a user, a group or a variable stays.
 * Threads: loaded by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_RECIPE_H
#define IMGFACTORY_PLAN_RECIPE_H

#include "plan/effect.h"
#include "plan/manifest.h"

struct recipe {
    const char *name;          /* the file's stem */
    struct strings packages;   /* for: names of the packages, at least one; default: the recipe's name */
    const char *format;        /* when: the packages' format; NULL: of any */
    struct wishes wishes;      /* files, made, users, groups, env; packages: install */
    bool covers[EFFECT_COUNT]; /* effects of the packages' scripts that need no report */
    bool makes_certificates;   /* generate: ca-certificates */
    bool
        is_not_for_installed; /* installed: false: where packages are installed, what their scripts make is made instead */
};

struct recipes {
    struct recipe *items; /* sorted by name */
    size_t count, capacity;
    struct digest digest; /* of all files and their names */
};

/* Loads all recipes of a directory; a directory that is not there has none. `formats` are the names of the package formats
 * that there are. */
bool recipes_load(struct arena *arena, const char *dir, const struct strings *formats, struct recipes *ret_recipes,
                  struct err *err) MUST_CHECK;
/* Returns whether the recipe is for a package of that name and format. */
bool recipe_is_for(const struct recipe *recipe, const char *package, const char *format);

#endif
