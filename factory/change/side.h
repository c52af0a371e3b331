/* SPDX-License-Identifier: Apache-2.0 */
/* side.h - one platform of an image that lies somewhere, as it is compared
 *
 * Threads: no state.
 * Owns: a side that was read from layers holds their file system until side_close(); all else lives in the arena given, and
 * points into the image.
 */
#ifndef IMGFACTORY_CHANGE_SIDE_H
#define IMGFACTORY_CHANGE_SIDE_H

#include "change/change.h"

/* Returns whether a manifest is a platform of an image: it was read, and is for running. */
bool side_is_platform(const struct layout_manifest *manifest);
/* Describes it by its documents, and by its bill when the image's layout or the cache (may be NULL) has it. */
void side_of_manifest(struct arena *arena, struct store *store, const struct layout_image *image,
                      const struct layout_manifest *manifest, struct change_side *ret_side);

/* A platform whose layers are read; `name` is the image's, for messages. */
struct side_image {
    const char *name;
    const struct layout_image *image;
    const struct layout_manifest *manifest;
};

/* Reads packages and files out of the image's layers, in place of a bill: What its
 * package database does not tell is noted in *ret_note (NULL: nothing). Of a bill that there was, the packages that both have
 * keep what it says of their files. Layers of a layout are brought into the store; others have to be there. The merged file
 * system is kept in the store, too (ground/ground.h). Fails with: as ground.h. */
bool side_read_layers(struct arena *arena, struct store *store, const struct side_image *image,
                      struct change_side *side, const char **ret_note, struct err *err) MUST_CHECK;
/* Tells packages, files and sonames of a merged file system; `former` (or NULL) and *ret_note as above. *ret_installed is its
 * package database, or NULL. */
void side_read_ground(struct arena *arena, const struct ground *ground, const struct bill *former,
                      struct bill *ret_bill, const struct installed **ret_installed, const char **ret_note);
/* Closes what a side holds. Accepts a zeroed one. */
void side_close(struct change_side *side);

#endif
