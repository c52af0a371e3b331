/* SPDX-License-Identifier: Apache-2.0 */
/* cuts.h - where a big file is cut into chunks: by what is in it, so that a changed one keeps most of its chunks
 *
 * A gear hash (Xia et al., "Ddelta", 2014) over the last 64 bytes: a cut is behind the byte at which its upper bits are
 * zero. Chunks have 64 KiB to 1 MiB, about 320 KiB on average; a file below 512 KiB is one. It depends on the bytes alone.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LAYER_CUTS_H
#define IMGFACTORY_LAYER_CUTS_H

#include "base/text.h"

#define CUTS_WHOLE_BYTES ((size_t)512 << 10)
#define CUTS_LEAST_BYTES ((size_t)64 << 10)
#define CUTS_MOST_BYTES ((size_t)1 << 20)

/* What bytes stand for in the hash. */
struct cuts_table {
    uint64_t values[256];
};

/* Fills the table. */
void cuts_init(struct cuts_table *table);
/* Returns the length of the first chunk of what is left of a file of file_bytes. */
size_t cuts_next(const struct cuts_table *table, struct text left, uint64_t file_bytes);

#endif
