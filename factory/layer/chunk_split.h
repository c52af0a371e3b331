/* SPDX-License-Identifier: Apache-2.0 */
/* chunk_split.h - the tar-split of a zstd:chunked layer, anybody's, held against its tar as that comes
 *
 * vbatts/tar-split, tar/storage (Entry): a line of JSON for each run of the tar's own bytes, and for each member one that
 * stands for its bytes with their CRC-64 (layer/toc.h). Clients put the tar together by it.
 * Threads: one reader, one thread.
 * Owns: what it knows of members, until chunk_split_done().
 * Fails with: false and *ret_why, a phrase for people.
 */
#ifndef IMGFACTORY_LAYER_CHUNK_SPLIT_H
#define IMGFACTORY_LAYER_CHUNK_SPLIT_H

#include "base/err.h"
#include "base/text.h"
#include "layer/crc64.h"

/* Where tar-split has a member's bytes. */
struct chunk_place {
    struct text name;
    uint64_t offset, bytes; /* in the tar */
};

struct chunk_split {
    struct text left; /* lines that were not read yet */
    uint64_t line_count, at;
    struct text raw;     /* of the line that holds now: bytes that the tar has to have */
    uint64_t file_bytes; /* or bytes of a file, with their sum so far and as it has to be */
    uint64_t sum, told_sum;
    struct crc64_table crcs;
    struct arena line, places_arena;
    LIST(struct chunk_place) places;
};

/* Begins; the text must outlive the reader. */
void chunk_split_begin(struct chunk_split *split, struct text lines);
/* Takes the next piece of the tar. The places of all members whose headers are in it are known then. */
bool chunk_split_take(struct chunk_split *split, struct text piece, const char **ret_why) MUST_CHECK;
/* Tells whether it ends where the tar does. */
bool chunk_split_end(struct chunk_split *split, const char **ret_why) MUST_CHECK;
/* Frees what it owns. Accepts a zeroed one. For AUTO(). */
void chunk_split_done(struct chunk_split *split);

#endif
