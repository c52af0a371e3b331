/* SPDX-License-Identifier: Apache-2.0 */
/* layer_codec.h - the compressors of layers: some plain bytes in, one frame (zstd) or member (gzip) out
 *
 * Each piece is compressed by itself, so its bytes depend on nothing but what is in it: packer.h makes layers of them.
 * Threads: what begin() gave belongs to one thread.
 * Owns: the library's state, until done().
 * Fails with: ERR_INTERNAL when the library refuses.
 */
#ifndef IMGFACTORY_LAYER_LAYER_CODEC_H
#define IMGFACTORY_LAYER_LAYER_CODEC_H

#include "layer/layer.h"

struct cuts_table;

struct codec {
    const char *library, *symbol; /* who does it; a function of it, to find it in memory by */
    /* Returns the library's version: of the running one where it can tell, else of its headers. */
    const char *(*version)(void);
    int level;
    /* Files of fewer bytes have no piece of their own, but share that of the headers around them; 0: each that has a byte has. */
    uint64_t file_least_bytes;
    size_t shared_most_bytes; /* of such a piece */
    /* Returns the length of the first piece of what is left of a file of file_bytes. */
    size_t (*cut)(const struct cuts_table *table, struct text left, uint64_t file_bytes);
    /* Frames' digests and the file's CRC-64 are wanted, which tables of contents have (chunked.h). */
    bool has_sums;
    void *(*begin)(struct err *err); /* NULL: it failed */
    /* Compresses some bytes into `out`, in the place of what was there. */
    bool (*pack)(void *state, struct text plain, struct buf *out, struct err *err);
    void (*done)(void *state); /* accepts NULL */
};

extern const struct codec codec_gzip, codec_zstd;
extern const struct codec codec_chunked; /* zstd's, but for where pieces end */

/* Looks at the library that is loaded; takes less than a millisecond. */
struct layer_encoder codec_encoder(const struct codec *codec);

#endif
