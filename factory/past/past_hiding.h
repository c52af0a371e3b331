/* SPDX-License-Identifier: Apache-2.0 */
/* past_hiding.h - what a layer hides of the layers below it, by its paths alone (image-spec, layer.md, "Whiteouts")
 *
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_PAST_PAST_HIDING_H
#define IMGFACTORY_PAST_PAST_HIDING_H

#include "base/map.h"
#include "tree/tree.h"

/* Notes a path of a layer, and what is there. The path is kept. */
void past_hide(struct map *above, const char *path, enum node_kind kind);
/* Returns whether layers replace or remove what is at a canonical path below them, or a directory above that: `above` has their
 * paths, whiteouts among them. A directory hides what is none at its path, and nothing within one. The arena is for scratch. */
bool past_is_hidden(struct arena *arena, const struct map *above, const char *path, enum node_kind kind);
/* Returns whether a path is a whiteout: no file of the image. */
bool past_is_whiteout(const char *path);

#endif
