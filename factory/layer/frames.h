/* SPDX-License-Identifier: Apache-2.0 */
/* frames.h - the compressed bytes of a file, zstd frames or gzip members, made once for each content and kept in the cache
 *
 * Compressing is most of what a layer costs, and images of a site have most files in common. So the frames of a file (packer.h)
 * are a derived file of the store, named by the digest of the content, the encoder and FRAMES_FORMAT: whoever made them first,
 * they are those that anybody would make. The store takes only what was made with its secret, and whose bytes are those that
 * were written: what was damaged or planted is removed, and made again. What another encoder made is not looked at, and goes
 * when the cache is pruned.
 *
 * Layout: the frames one behind the other; a record for each: its bytes, the plain ones in it (64 bits each) and their SHA-256
 * (zeros for the only one); the CRC-64 of the content, the number of records, and whether there are these sums at all: who had no use
 * for them left zeros. Numbers are little-endian.
 * Threads: as the store.
 * Owns: a mapping, a file being written, until frames_done() and frames_abandon().
 * Fails with: nothing. A cache that does not give or take frames costs time: whoever writes a layer is told by its own blob.
 */
#ifndef IMGFACTORY_LAYER_FRAMES_H
#define IMGFACTORY_LAYER_FRAMES_H

#include "io/store.h"
#include "oci/descriptor.h"

/* Smaller files are compressed about as quickly as their frame is looked up. */
#define FRAMES_LEAST_BYTES ((uint64_t)16 << 10)

/* One frame. */
struct frame {
    struct digest digest; /* of its plain bytes; zeros: of the file */
    uint64_t packed_bytes, plain_bytes;
};

/* All frames of a file, as they were found. */
struct frames {
    struct view view;
    size_t packed_bytes; /* of the view: all frames */
    size_t count;
    uint64_t crc64; /* of the content */
    bool has_sums;  /* it and the frames' digests are known */
};

/* Those of a file that are made now. */
struct frames_draft {
    struct blob blob;
    struct buf records;
    size_t count;
};

/* Returns the name of the frames that an encoder makes of a content. */
struct digest frames_key(const struct layer_encoder *encoder, const struct digest *content);
/* Finds them, of a content of plain_bytes; false when they have to be made. */
bool frames_find(struct store *store, const struct digest *key, uint64_t plain_bytes, struct frames *ret_frames);
/* Returns one of those found, the first being 0. */
struct frame frames_at(const struct frames *frames, size_t index);
/* Gives the mapping back. Accepts a zeroed one. For AUTO(). */
void frames_done(struct frames *frames);

/* Begins keeping frames; false when the cache does not take any. */
bool frames_begin(struct store *store, struct frames_draft *draft);
/* Adds the next frame. Does nothing once the cache has taken no more. */
void frames_add(struct frames_draft *draft, const struct frame *frame, const void *packed);
/* Puts them into the cache. The caller has seen that the content is the one that the key names. Returns whether they are there. */
bool frames_keep(struct frames_draft *draft, const struct digest *key, bool has_sums, uint64_t crc64);
/* Drops them; accepts a zeroed or kept draft. For AUTO(). */
void frames_abandon(struct frames_draft *draft);

#endif
