/* SPDX-License-Identifier: Apache-2.0 */
/* past_hiding.h - what a layer hides of the layers below it, by its paths alone (image-spec, layer.md, "Whiteouts")
 *
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_PAST_PAST_HIDING_H
#define IMGFACTORY_PAST_PAST_HIDING_H

#include "base/map.h"

/* Returns whether a layer replaces or removes what is at a canonical path below it, or a directory above that: `above` has its
 * paths, whiteouts among them, but for directories. The arena is for scratch. */
bool past_is_hidden(struct arena *arena, const struct map *above, const char *path);
/* Returns whether a path is a whiteout: no file of the image. */
bool past_is_whiteout(const char *path);

#endif
