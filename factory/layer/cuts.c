/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/cuts.h"

/* One byte of 2^18 ends a chunk that is long enough. */
#define CUT_MASK ((((uint64_t)1 << 18) - 1) << 46)

/* splitmix64 (Steele, Lea, Flood 2014) from 0: any fixed numbers would do, these need no table in the source. */
void cuts_init(struct cuts_table *table)
{
    uint64_t state = 0;
    for (size_t i = 0; i < 256; i++) {
        state += 0x9E3779B97F4A7C15u;
        uint64_t value = state;
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
        value = (value ^ value >> 27) * 0x94D049BB133111EBu;
        table->values[i] = value ^ value >> 31;
    }
}

size_t cuts_next(const struct cuts_table *table, struct text left, uint64_t file_bytes)
{
    size_t most = left.len < CUTS_MOST_BYTES ? left.len : CUTS_MOST_BYTES;
    uint64_t hash = 0;
    if (file_bytes < CUTS_WHOLE_BYTES || left.len <= CUTS_LEAST_BYTES)
        return left.len;
    for (size_t i = CUTS_LEAST_BYTES - 64; i < most; i++) {
        hash = (hash << 1) + table->values[(unsigned char)left.ptr[i]];
        if (i >= CUTS_LEAST_BYTES && !(hash & CUT_MASK))
            return i + 1;
    }
    return most;
}
