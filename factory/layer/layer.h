/* SPDX-License-Identifier: Apache-2.0 */
/* layer.h - a tree as one compressed layer blob: tar, diff ID, compression, digest in one pass
 *
 * zstd: level 3, one thread, with content size and checksum, so
 * that the bytes do not depend on the machine. gzip: libdeflate level 5, header without name and time (OS 255); more
 * than 64 MiB of tar become several members. What the bytes depend on besides the tar is the library: see struct
 * layer_encoder.
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
/* Returns about how much memory that takes for files of `plain_bytes`, those files apart. */
uint64_t layer_memory(enum layer_compression compression, uint64_t plain_bytes);
/* Looks at the library that is loaded; takes less than a millisecond. */
struct layer_encoder layer_encoder(enum layer_compression compression);

#endif
