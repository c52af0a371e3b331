/* SPDX-License-Identifier: Apache-2.0 */
/* noise.h - bytes by chance, the same everywhere: for tests of compressors */
#ifndef IMGFACTORY_TESTS_NOISE_H
#define IMGFACTORY_TESTS_NOISE_H

#include "base/arena.h"

#include <stdint.h>

#define NOISE_SEED 88172645463325252ull

/* The next number (xorshift64). */
static inline uint32_t noise_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 20);
}

/* Fills with bytes of which the small ones are the more frequent, and no three in a row come twice: nothing to match, but
 * a Huffman code saves something. */
static inline void noise_unmatched(struct arena *arena, char *bytes, size_t len)
{
    uint64_t state = NOISE_SEED;
    uint8_t *seen = arena_alloc(arena, (size_t)1 << 24);
    uint32_t last = 0;
    for (size_t i = 0; i < len;) {
        uint32_t random = noise_next(&state), one = random & 0xFF, other = random >> 8 & 0xFF;
        uint32_t three = (last << 8 | (one < other ? one : other)) & 0xFFFFFF;
        if (i > 1 && seen[three]++)
            continue;
        bytes[i++] = (char)(three & 0xFF);
        last = three;
    }
}

#endif
