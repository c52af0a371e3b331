/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/crc64.h"

#include <endian.h>
#include <string.h>

#define POLYNOMIAL 0xD800000000000000u

void crc64_init(struct crc64_table *table)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t sum = byte;
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ POLYNOMIAL : sum >> 1;
        table->sums[0][byte] = sum;
    }
    for (unsigned slice = 1; slice < CRC64_SLICES; slice++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint64_t before = table->sums[slice - 1][byte];
            table->sums[slice][byte] = table->sums[0][before & 0xFF] ^ before >> 8;
        }
    }
}

uint64_t crc64_add(const struct crc64_table *table, uint64_t before, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t sum = ~before, word;
    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        sum ^= le64toh(word);
        word = sum;
        sum = 0;
        for (unsigned i = 0; i < CRC64_SLICES; i++)
            sum ^= table->sums[CRC64_SLICES - 1 - i][word >> (8 * i) & 0xFF];
    }
    for (; len; at++, len--)
        sum = table->sums[0][(sum ^ *at) & 0xFF] ^ sum >> 8;
    return ~sum;
}
