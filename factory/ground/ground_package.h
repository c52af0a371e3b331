/* SPDX-License-Identifier: Apache-2.0 */
/* ground_package.h - a base as one pretended package, so that its files stand in a fileset beside those of packages
 *
 * Its paths are canonical (path.h): where /lib is a directory of its own, its files are listed below /usr/lib, unless there
 * is one of that name. Its name comes before that of any package, so that its files are found first.
 * Threads: no state.
 * Owns: nothing; the entries are copies in the arena, with strings of the ground.
 */
#ifndef IMGFACTORY_GROUND_GROUND_PACKAGE_H
#define IMGFACTORY_GROUND_GROUND_PACKAGE_H

#include "ground/ground.h"

#define GROUND_PACKAGE_NAME "(base)"

/* Makes the package. */
const struct package *ground_package(struct arena *arena, const struct ground *ground);
/* Returns where a link of such a package leads in the end, as a canonical path: to a directory, or to what is not there; NULL
 * when it leads to a file, or nowhere. */
const char *ground_package_end(struct arena *arena, const struct package *package, const struct entry *link);

#endif
