/* SPDX-License-Identifier: Apache-2.0 */
/* layer.h - a tree as one compressed layer blob: tar, diff ID, compression, digest in one pass
 *
 * gzip and zstd: members or frames one behind the other, one for a file of 16 KiB and more (several for a big one), and one for
 * what lies between two such files. gzip: libdeflate level 6, at most 8 MiB of a file each, headers without name and time (OS
 * 255). zstd: level 6, with their sizes, cut as in zstd:chunked (chunked.h). What the bytes depend on besides the tar is the
 * library: see struct layer_encoder.
 * Threads: any worker.
 * Fails with: what tar_write() and the store fail with.
 */
#ifndef IMGFACTORY_LAYER_LAYER_H
#define IMGFACTORY_LAYER_LAYER_H

#include "oci/descriptor.h"
#include "tree/tree.h"

/* Writes the layer into the store. Does an image's computing: run it on a worker. */
bool layer_build(struct store *store, const struct tree *tree, enum layer_compression compression,
                 struct layer *ret_layer, struct err *err) MUST_CHECK;
/* Looks at the library that is loaded; takes less than a millisecond. */
struct layer_encoder layer_encoder(enum layer_compression compression);

#endif
