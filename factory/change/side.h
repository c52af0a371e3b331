/* side.h - one platform of an image that lies somewhere, as it is compared
 *
 * Threads: no state.
 * Owns: nothing; all lives in the arena given, and points into the image.
 */
#ifndef IMGFACTORY_CHANGE_SIDE_H
#define IMGFACTORY_CHANGE_SIDE_H

#include "change/change.h"

/* Returns whether a manifest is a platform of an image: it was read, and is for running. */
bool side_is_platform(const struct layout_manifest *manifest);
/* Describes it by its documents, and by its bill when the image's layout or the cache (may be NULL) has it. */
void side_of_manifest(struct arena *arena, struct store *store, const struct layout_image *image,
                      const struct layout_manifest *manifest, struct change_side *ret_side);

#endif
