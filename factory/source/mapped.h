/* SPDX-License-Identifier: Apache-2.0 */
/* mapped.h - reading numbers out of mapped index files, and a quick check that their bytes are still what was written
 *
 * The files are written and read by the same machine (the cache is not portable), so numbers are in its own byte
 * order; a marker in each header notices a cache that moved. The check finds rotten bytes, not attackers: the cache is
 * private.
 * Threads: no state.
 */
#ifndef IMGFACTORY_SOURCE_MAPPED_H
#define IMGFACTORY_SOURCE_MAPPED_H

#include "base/text.h"

#define MAPPED_ORDER_MARK 0x01020304u

/* Loads a number from any address. */
static inline uint32_t mapped_u32(const char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* Sums up bytes, eight at a time (multiply and rotate). */
static inline uint64_t mapped_check(struct text bytes)
{
    uint64_t sum = 0x9E3779B97F4A7C15u ^ bytes.len, word = 0;
    size_t at = 0;
    for (; at + sizeof word <= bytes.len; at += sizeof word) {
        memcpy(&word, bytes.ptr + at, sizeof word);
        sum = (sum ^ word) * 0xD6E8FEB86659FD93u;
        sum ^= sum >> 32;
    }
    word = 0;
    if (at < bytes.len)
        memcpy(&word, bytes.ptr + at, bytes.len - at);
    sum = (sum ^ word) * 0xD6E8FEB86659FD93u;
    return sum ^ (sum >> 32);
}

/* Hashes a name for the tables. */
static inline uint32_t mapped_hash(struct text name)
{
    uint64_t hash = text_hash(name);
    return (uint32_t)(hash ^ (hash >> 32));
}

#endif
