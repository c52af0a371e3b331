/* SPDX-License-Identifier: Apache-2.0 */
/* Streams are walked from the end of the file: footer, index, the blocks' places. All arithmetic is on values below 2^63
 * that were checked against what is left of the file. */
#include "io/xz.h"

#define HEADER_BYTES 12u /* of a stream; its footer has as many */
#define FILTER_LZMA2 0x21u

static bool refuse(const char *name, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", name, why);
    return false;
}

/* Takes a variable-length integer (section 1.2) off the front. */
static bool take_number(struct text *rest, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63 && rest->len; shift += 7) {
        unsigned char byte = (unsigned char)rest->ptr[0];
        rest->ptr++;
        rest->len--;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* Section 5.3.1: 6 bits, mantissa 2 or 3. */
static uint64_t dictionary_bytes(unsigned char bits)
{
    return bits >= 40 ? UINT32_MAX : (uint64_t)(2 | (bits & 1)) << (bits / 2 + 11);
}

/* Reads a block's header (section 3.1); other filters than LZMA2 need no memory to speak of. */
static bool check_block(struct text block, const char *name, struct err *err)
{
    size_t header_bytes = block.len ? ((unsigned char)block.ptr[0] + 1u) * 4u : 0;
    if (header_bytes < 8 || header_bytes > block.len)
        return refuse(name, "broken xz block header", err);
    unsigned char flags = (unsigned char)block.ptr[1];
    struct text rest = {block.ptr + 2, header_bytes - 2};
    uint64_t number;
    for (unsigned bit = 0x40; bit <= 0x80; bit <<= 1) {
        if ((flags & bit) && !take_number(&rest, &number))
            return refuse(name, "broken xz block header", err);
    }
    for (unsigned filters = (flags & 3u) + 1; filters; filters--) {
        uint64_t id, property_bytes;
        if (!take_number(&rest, &id) || !take_number(&rest, &property_bytes) || property_bytes > rest.len)
            return refuse(name, "broken xz block header", err);
        uint64_t wanted = id == FILTER_LZMA2 && property_bytes == 1 ? dictionary_bytes((unsigned char)rest.ptr[0]) : 0;
        if (wanted > XZ_DICTIONARY_MAX_BYTES) {
            err_set(err, ERR_MALFORMED, "%s: wants a dictionary of %llu bytes; at most %llu are given", name,
                    (unsigned long long)wanted, (unsigned long long)XZ_DICTIONARY_MAX_BYTES);
            return false;
        }
        rest.ptr += property_bytes;
        rest.len -= (size_t)property_bytes;
    }
    return true;
}

/* Adds up the blocks' sizes, each rounded up to 4; false when they do not fit into `limit`. */
static bool sum_blocks(struct text records, uint64_t count, uint64_t limit, uint64_t *ret_total)
{
    uint64_t total = 0, unpadded, plain;
    for (; count; count--) {
        if (!take_number(&records, &unpadded) || !take_number(&records, &plain) || unpadded > limit)
            return false;
        total += (unpadded + 3) & ~UINT64_C(3);
        if (total > limit)
            return false;
    }
    *ret_total = total;
    return true;
}

/* Checks the stream that ends the file and cuts it off. */
static bool check_stream(struct text *file, const char *name, struct err *err)
{
    if (file->len < 2 * HEADER_BYTES || memcmp(file->ptr + file->len - 2, "YZ", 2) != 0)
        return refuse(name, "broken or cut xz data: no stream footer at its end", err);
    const unsigned char *footer = (const unsigned char *)file->ptr + file->len - HEADER_BYTES;
    uint64_t backward = footer[4] | (uint64_t)footer[5] << 8 | (uint64_t)footer[6] << 16 | (uint64_t)footer[7] << 24;
    uint64_t index_bytes = (backward + 1) * 4, before_index = file->len - HEADER_BYTES;
    if (index_bytes > before_index - HEADER_BYTES)
        return refuse(name, "broken xz data: its index is larger than the file", err);
    before_index -= index_bytes;
    struct text records = {file->ptr + before_index, (size_t)index_bytes};
    uint64_t count, blocks_bytes;
    if (records.ptr[0] != 0)
        return refuse(name, "broken xz data: no index before the footer", err);
    records.ptr++;
    records.len--;
    if (!take_number(&records, &count) || !sum_blocks(records, count, before_index - HEADER_BYTES, &blocks_bytes))
        return refuse(name, "broken xz index", err);
    uint64_t at = before_index - blocks_bytes, unpadded = 0, plain = 0;
    struct text stream = {file->ptr, (size_t)(at - HEADER_BYTES)};
    for (; count; count--) {
        if (!check_block((struct text){file->ptr + at, (size_t)(before_index - at)}, name, err))
            return false;
        if (!take_number(&records, &unpadded) || !take_number(&records, &plain))
            return refuse(name, "broken xz index", err);
        at += (unpadded + 3) & ~UINT64_C(3);
    }
    *file = stream;
    return true;
}

bool xz_check_dictionaries(struct text file, const char *name, struct err *err)
{
    if (file.len < HEADER_BYTES || memcmp(file.ptr,
                                          "\xFD"
                                          "7zXZ",
                                          6) != 0)
        return true; /* the decoder tells that it is not xz */
    do {
        while (file.len >= 4 && memcmp(file.ptr + file.len - 4, "\0\0\0\0", 4) == 0)
            file.len -= 4; /* stream padding */
        if (!check_stream(&file, name, err))
            return false;
    } while (file.len);
    return true;
}
