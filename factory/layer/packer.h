/* SPDX-License-Identifier: Apache-2.0 */
/* packer.h - the pieces that all layers are made of: frames or members (layer_codec.h) of files' bytes, and of what is between
 *
 * Most of a layer's bytes are files that other layers have, too. So a file's bytes are pieces of their own, made once for each
 * content and kept in the cache (frames.h); those of a file that is there already are taken over, while the file's own bytes
 * are hashed as ever. Headers, padding and, but for zstd:chunked, smaller files are pieces between them. The layer has the same
 * bytes whether pieces were there or not.
 * Threads: a struct packer belongs to one thread.
 * Owns: the codec's state and the buffers, until packer_done().
 * Fails with: what blob_write() and the codec fail with.
 */
#ifndef IMGFACTORY_LAYER_PACKER_H
#define IMGFACTORY_LAYER_PACKER_H

#include "layer/crc64.h"
#include "layer/cuts.h"
#include "layer/frames.h"
#include "layer/layer_codec.h"

/* One piece of a file in the layer. */
struct packed_piece {
    struct frame frame;
    uint64_t begin; /* in the blob */
};

/* What became of a file's bytes. */
struct packed_file {
    struct digest digest; /* of the bytes that were packed */
    uint64_t crc64;       /* where the codec has sums */
    LIST(struct packed_piece) pieces;
};

struct packer {
    const struct codec *codec;
    struct blob *blob;
    void *state;       /* the codec's */
    struct buf out;    /* one piece, compressed */
    struct buf shared; /* what is between two files' bytes, so far */
    struct digest_stream diff;
    uint64_t tar_bytes;
    struct packed_file file; /* the last one */
    struct layer_encoder encoder;
    struct frames_draft draft; /* of the file whose bytes come now, where frames are kept */
    bool is_keeping;           /* the cache takes frames */
    struct crc64_table crcs;
    struct cuts_table cuts;
    struct arena arena;
};

/* Begins a layer of plain_bytes bytes of tar in a blob that was begun. */
bool packer_begin(struct packer *packer, const struct codec *codec, struct blob *blob, uint64_t plain_bytes,
                  struct err *err) MUST_CHECK;
/* Takes bytes of the tar itself. */
bool packer_take(struct packer *packer, const void *bytes, size_t len, struct err *err) MUST_CHECK;
/* Takes all bytes of a file that is to have pieces of its own; what became of them is in packer->file until the next. */
bool packer_take_file(struct packer *packer, const struct node *node, struct err *err) MUST_CHECK;
/* Writes what is left, and tells the layer's diff ID and tar_bytes. */
bool packer_end(struct packer *packer, struct layer *layer, struct err *err) MUST_CHECK;
/* Frees all; accepts a zeroed packer. For AUTO(). */
void packer_done(struct packer *packer);

#endif
