/* SPDX-License-Identifier: Apache-2.0 */
/* layer_codec.h - the compressors of layers: bytes in, compressed bytes appended to a blob
 *
 * layer.c runs begin(), feed() as often as it likes, end(), and done() whatever happened.
 * Threads: a struct compressor belongs to one thread.
 * Owns: the library's state and the buffers, until done().
 * Fails with: what blob_write() fails with; ERR_INTERNAL when the library refuses.
 */
#ifndef IMGFACTORY_LAYER_LAYER_CODEC_H
#define IMGFACTORY_LAYER_LAYER_CODEC_H

#include "layer/layer.h"

struct compressor {
    struct blob *blob; /* takes the output */
    void *state;       /* the library's */
    char *in, *out;    /* the codec's own; `in` only where the library wants its input in one piece */
    size_t in_len, in_capacity, out_len, out_capacity;
};

struct codec {
    const char *library, *symbol; /* who does it; a function of it, to find it in memory by */
    /* Returns the library's version: of the running one where it can tell, else of its headers. */
    const char *(*version)(void);
    int level;
    /* Returns about how much memory a stream of plain_bytes takes. */
    uint64_t (*memory)(uint64_t plain_bytes);
    /* Starts a stream of exactly plain_bytes bytes. */
    bool (*begin)(struct compressor *compressor, uint64_t plain_bytes, struct err *err);
    /* Compresses further bytes. */
    bool (*feed)(struct compressor *compressor, const void *bytes, size_t len, struct err *err);
    /* Completes the stream and writes what is left. */
    bool (*end)(struct compressor *compressor, struct err *err);
    /* Frees all; accepts a zeroed compressor. */
    void (*done)(struct compressor *compressor);
};

extern const struct codec codec_zstd, codec_gzip;
/* Its layers are no stream of bytes (chunked.h): it has names and memory alone. */
extern const struct codec codec_chunked;

/* Looks at the library that is loaded; takes less than a millisecond. */
struct layer_encoder codec_encoder(const struct codec *codec);

#endif
