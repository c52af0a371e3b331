/* SPDX-License-Identifier: Apache-2.0 */
/* layer_open.h - layers of an image that are read here, with their digests verified
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_CLI_LAYER_OPEN_H
#define IMGFACTORY_CLI_LAYER_OPEN_H

#include "io/store.h"
#include "oci/layout_read.h"

/* Maps a layer: of the store when one is given, else of the image's layout. Fails with: ERR_TRUST when its bytes are not those
 * of its digest; ERR_LOCAL; what layout_blob_open() fails with. */
bool layer_map(const struct layout_image *image, struct store *store, const struct layout_blob *blob,
               struct view *ret_view, struct err *err) MUST_CHECK;
/* Holds a layer's table of contents against its tar (layer/chunk_check.h), when its descriptor says that it has one. To be called
 * for layers that were unpacked within bounds before: this is another time. */
bool layer_hold_table(const struct layout_manifest *manifest, size_t index, struct text bytes,
                      struct err *err) MUST_CHECK;
/* Does so with all layers of a platform. */
bool layers_hold_tables(const struct layout_image *image, struct store *store, const struct layout_manifest *manifest,
                        struct err *err) MUST_CHECK;

#endif
