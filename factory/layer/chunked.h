/* SPDX-License-Identifier: Apache-2.0 */
/* chunked.h - a tree as a zstd:chunked layer: any zstd decoder reads it whole, containers/storage in parts
 *
 * As containers/storage, pkg/chunked (2025-08), writes it: ordinary zstd frames, of which each holds one chunk of a file's
 * bytes (cuts.h), or the headers and padding between two files; behind them, in skippable frames, the compressed table of
 * contents and tar-split (toc.h) and a footer of 64 bytes. What clients trust are the positions and the digest of the table
 * in the layer's descriptor: struct layer_toc. A tree with a name that is no UTF-8, which the table cannot hold, gets the
 * frames alone.
 * The bytes depend on the tar, the level and libzstd: frames have their plain size and no checksum (digests say more), and
 * each is compressed by itself.
 * Threads: any worker.
 * Fails with: what tar_write() and the store fail with; ERR_INTERNAL when libzstd refuses.
 */
#ifndef IMGFACTORY_LAYER_CHUNKED_H
#define IMGFACTORY_LAYER_CHUNKED_H

#include "io/store.h"
#include "oci/descriptor.h"
#include "tree/tree.h"

/* Writes the layer of tar_bytes bytes of tar into a blob that was begun, and says of it all but its size and digest. */
bool chunked_write(struct blob *blob, const struct tree *tree, uint64_t tar_bytes, struct layer *layer,
                   struct err *err) MUST_CHECK;

#endif
