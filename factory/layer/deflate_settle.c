/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/deflate_settle.h"

#include "base/auto.h"
#include "base/list.h"

#include <endian.h>

#define CODE_MAX_BITS 15
#define LITLEN_COUNT 288
#define OFFSET_COUNT 32
#define PRECODE_COUNT 19
#define END_OF_BLOCK 256
#define STORED_MAX_BYTES ((size_t)65535)
#define LEAST_SAVED_BITS 64
/* Of the fixed header: block type; counts; all of the precode, in which the lengths 0 to 15 have four bits each; lengths
 * of the literals with the end of the block, and of two offsets. */
#define FIXED_HEADER_BITS (3 + 14 + 3 * PRECODE_COUNT + 4 * (END_OF_BLOCK + 1 + 2))

enum block_type { BLOCK_STORED, BLOCK_STATIC, BLOCK_DYNAMIC };

struct block {
    enum block_type type;
    uint64_t start, symbols, end; /* bits of the stream: the header, what follows it */
    size_t from, to;              /* plain bytes */
    bool is_final, has_match;
};

struct blocks {
    struct block *items;
    size_t count, capacity;
};

/* A Huffman code for reading: the next `bits` bits lead to symbol << 4 | length; 0 is no code. */
struct code {
    unsigned bits;
    uint16_t entries[1 << CODE_MAX_BITS];
};

struct walk {
    const char *bytes;
    uint64_t at, end;                          /* bits */
    uint8_t lens[LITLEN_COUNT + OFFSET_COUNT]; /* of the dynamic block's codes */
    size_t litlen_count;
    struct code litlen, offset;
};

static uint64_t peek_at(const char *bytes, uint64_t at)
{
    uint64_t value;
    memcpy(&value, bytes + (at >> 3), sizeof value);
    return le64toh(value) >> (at & 7);
}

static unsigned take(struct walk *walk, unsigned count)
{
    uint64_t value = walk->at <= walk->end ? peek_at(walk->bytes, walk->at) : 0;
    walk->at += count;
    return (unsigned)(value & ((1u << count) - 1));
}

static unsigned reverse(unsigned code, unsigned len)
{
    unsigned reversed = 0;
    for (unsigned i = 0; i < len; i++)
        reversed |= ((code >> i) & 1) << (len - 1 - i);
    return reversed;
}

/* Makes the canonical code of these lengths (RFC 1951 section 3.2.2); false when they are too many for a code. */
static bool make_code(struct code *code, const uint8_t *lens, size_t count)
{
    unsigned of_len[CODE_MAX_BITS + 1] = {0}, next[CODE_MAX_BITS + 2] = {0};
    code->bits = 0;
    for (size_t i = 0; i < count; i++) {
        of_len[lens[i]]++;
        code->bits = lens[i] > code->bits ? lens[i] : code->bits;
    }
    of_len[0] = 0;
    for (unsigned len = 1; len <= CODE_MAX_BITS; len++) {
        next[len + 1] = (next[len] + of_len[len]) << 1;
        if (next[len] + of_len[len] > 1u << len)
            return false;
    }
    memset(code->entries, 0, sizeof(code->entries[0]) << code->bits);
    for (size_t i = 0; i < count; i++) {
        unsigned len = lens[i];
        for (unsigned at = len ? reverse(next[len]++, len) : 1u << code->bits; at < 1u << code->bits; at += 1u << len)
            code->entries[at] = (uint16_t)(i << 4 | len);
    }
    return true;
}

/* Looks a code up in the bits that come next; its length is 0 when there is none. */
static unsigned look(const struct code *code, uint64_t bits)
{
    return code->entries[bits & ((1u << code->bits) - 1)];
}

static bool read_static(struct walk *walk)
{
    uint8_t lens[LITLEN_COUNT], offsets[OFFSET_COUNT];
    for (size_t i = 0; i < LITLEN_COUNT; i++)
        lens[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(offsets, 5, sizeof offsets);
    return make_code(&walk->litlen, lens, LITLEN_COUNT) && make_code(&walk->offset, offsets, OFFSET_COUNT);
}

/* Reads the lengths of the two codes, which are one run (section 3.2.7). */
static bool read_lens(struct walk *walk, const struct code *precode, uint8_t *lens, size_t count)
{
    static const struct {
        unsigned bits, base;
    } repeats[] = {{2, 3}, {3, 3}, {7, 11}};
    for (size_t i = 0; i < count;) {
        unsigned entry = look(precode, peek_at(walk->bytes, walk->at)), symbol = entry >> 4;
        walk->at += entry & 15;
        if (!(entry & 15) || walk->at > walk->end || (symbol == 16 && !i))
            return false;
        if (symbol < 16) {
            lens[i++] = (uint8_t)symbol;
            continue;
        }
        size_t repeat = repeats[symbol - 16].base + take(walk, repeats[symbol - 16].bits);
        if (repeat > count - i)
            return false;
        memset(lens + i, symbol == 16 ? lens[i - 1] : 0, repeat);
        i += repeat;
    }
    return true;
}

/* The order in which the precode's lengths are written. */
static const uint8_t precode_order[PRECODE_COUNT] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

static bool read_dynamic(struct walk *walk)
{
    size_t litlens = take(walk, 5) + 257, offsets = take(walk, 5) + 1, explicit = take(walk, 4) + 4;
    uint8_t precode_lens[PRECODE_COUNT] = {0}, *lens = walk->lens;
    walk->litlen_count = litlens;
    for (size_t i = 0; i < explicit; i++)
        precode_lens[precode_order[i]] = (uint8_t)take(walk, 3);
    /* the offsets' table is free for the precode until it is filled */
    return make_code(&walk->offset, precode_lens, PRECODE_COUNT) && walk->at <= walk->end &&
           read_lens(walk, &walk->offset, lens, litlens + offsets) && make_code(&walk->litlen, lens, litlens) &&
           make_code(&walk->offset, lens + litlens, offsets);
}

/* Reads a match behind its length's code; returns how many plain bytes it is, 0 when it is none. */
static size_t read_match(struct walk *walk, unsigned symbol)
{
    static const uint8_t extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                    2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    unsigned slot = symbol - END_OF_BLOCK - 1;
    if (slot >= ARRAY_COUNT(base))
        return 0;
    size_t len = base[slot] + take(walk, extra[slot]);
    unsigned entry = walk->at <= walk->end ? look(&walk->offset, peek_at(walk->bytes, walk->at)) : 0;
    unsigned offset_slot = entry >> 4;
    walk->at += (entry & 15) + (offset_slot < 4 ? 0 : offset_slot / 2 - 1);
    return entry & 15 ? len : 0;
}

/* Reads the symbols of a block; false when they are none, or more than room for plain bytes. */
static bool read_symbols(struct walk *walk, struct block *block, size_t plain_len)
{
    while (walk->at <= walk->end) {
        unsigned entry = look(&walk->litlen, peek_at(walk->bytes, walk->at)), symbol = entry >> 4;
        size_t len = 1;
        walk->at += entry & 15;
        if (!(entry & 15))
            return false;
        if (symbol == END_OF_BLOCK)
            return walk->at <= walk->end;
        if (symbol > END_OF_BLOCK) {
            block->has_match = true;
            len = read_match(walk, symbol);
        }
        if (!len || len > plain_len - block->to)
            return false;
        block->to += len;
    }
    return false;
}

static bool read_stored(struct walk *walk, struct block *block, size_t plain_len)
{
    walk->at = (walk->at + 7) & ~(uint64_t)7;
    size_t len = take(walk, 16);
    walk->at += 16 + 8 * (uint64_t)len;
    block->to += len;
    return walk->at <= walk->end && len <= plain_len - block->from;
}

static bool read_header(struct walk *walk, struct block *block)
{
    block->is_final = take(walk, 1);
    block->type = take(walk, 2);
    bool is_good = block->type == BLOCK_STATIC    ? read_static(walk)
                   : block->type == BLOCK_DYNAMIC ? read_dynamic(walk)
                                                  : block->type == BLOCK_STORED;
    block->symbols = walk->at;
    return is_good;
}

static bool read_block(struct walk *walk, size_t from, size_t plain_len, struct block *ret_block)
{
    struct block block = {.start = walk->at, .from = from, .to = from};
    bool is_good = read_header(walk, &block) && (block.type == BLOCK_STORED ? read_stored(walk, &block, plain_len)
                                                                            : read_symbols(walk, &block, plain_len));
    block.end = walk->at;
    *ret_block = block;
    return is_good;
}

/* What becomes of a block. */
enum fate { FATE_COPIED, FATE_STORED, FATE_HEADED };

static enum fate fate_of(const struct block *block)
{
    uint64_t plain_bits = 8 * (uint64_t)(block->to - block->from), bits = block->end - block->start;
    if (block->type == BLOCK_DYNAMIC && !block->has_match)
        bits = FIXED_HEADER_BITS + block->end - block->symbols;
    if (block->type == BLOCK_STORED || bits + LEAST_SAVED_BITS >= plain_bits)
        return FATE_STORED;
    return block->has_match || block->type != BLOCK_DYNAMIC ? FATE_COPIED : FATE_HEADED;
}

/* The stream's new bits, behind those that are whole bytes already. */
struct writer {
    struct buf *out;
    uint64_t bits;
    unsigned bit_count;
};

static void add(struct writer *writer, const void *bytes, size_t len)
{
    if (!buf_add(writer->out, bytes, len))
        memory_abort(len);
}

/* Adds at most 32 bits. */
static void put(struct writer *writer, uint64_t value, unsigned count)
{
    writer->bits |= (value & (((uint64_t)1 << count) - 1)) << writer->bit_count;
    writer->bit_count += count;
    uint64_t bytes = htole64(writer->bits);
    add(writer, &bytes, writer->bit_count / 8);
    writer->bits >>= writer->bit_count / 8 * 8;
    writer->bit_count %= 8;
}

/* Fills the byte that has begun with zeros. */
static void align(struct writer *writer)
{
    put(writer, 0, -writer->bit_count & 7);
}

static void copy_bits(struct writer *writer, const char *bytes, uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at += 32) {
        uint64_t left = to - at;
        put(writer, peek_at(bytes, at), left < 32 ? (unsigned)left : 32);
    }
}

/* As libdeflate does it: parts of 65535 bytes. */
static void store_block(struct writer *writer, struct text plain, const struct block *block)
{
    size_t at = block->from;
    do {
        size_t left = block->to - at, len = left < STORED_MAX_BYTES ? left : STORED_MAX_BYTES;
        put(writer, block->is_final && len == left, 3);
        align(writer);
        put(writer, (uint64_t)(len | (~len & 0xFFFF) << 16), 32);
        add(writer, plain.ptr + at, len);
        at += len;
    } while (at < block->to);
}

/* The header of a block without a match. Two offsets have a code of one bit, for some readers want one. */
static bool put_header(struct writer *writer, struct walk *walk, const struct block *block, struct err *err)
{
    struct block again;
    walk->at = block->start;
    if (!read_header(walk, &again))
        return false;
    for (size_t i = END_OF_BLOCK + 1; i < walk->litlen_count; i++) {
        if (!walk->lens[i])
            continue;
        err_set(err, ERR_INTERNAL, "libdeflate gave a code to a length that no match has");
        return false;
    }
    put(writer, block->is_final | BLOCK_DYNAMIC << 1, 3);
    put(writer, 0 | 1 << 5 | (PRECODE_COUNT - 4) << 10, 14);
    for (size_t i = 0; i < PRECODE_COUNT; i++)
        put(writer, precode_order[i] < 16 ? 4 : 0, 3);
    for (size_t i = 0; i < END_OF_BLOCK + 1 + 2; i++)
        put(writer, reverse(i <= END_OF_BLOCK ? walk->lens[i] : 1, 4), 4);
    return true;
}

static bool write_block(struct writer *writer, struct walk *walk, const struct block *block, struct text plain,
                        struct err *err)
{
    switch (fate_of(block)) {
    case FATE_STORED:
        store_block(writer, plain, block);
        return true;
    case FATE_HEADED:
        if (!put_header(writer, walk, block, err))
            return false;
        copy_bits(writer, walk->bytes, block->symbols, block->end);
        return true;
    case FATE_COPIED:
        break;
    }
    copy_bits(writer, walk->bytes, block->start, block->end);
    return true;
}

static bool rewrite(const struct blocks *blocks, struct walk *walk, struct text plain, struct buf *out, struct err *err)
{
    struct writer writer = {.out = out};
    for (size_t i = 0; i < blocks->count; i++) {
        if (!write_block(&writer, walk, &blocks->items[i], plain, err))
            return false;
    }
    align(&writer);
    return true;
}

bool deflate_settle(struct text packed, struct text plain, struct buf *settled, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    struct walk *walk = arena_new(&arena, struct walk);
    struct blocks blocks = {0};
    struct block block = {0};
    bool is_good = true, are_settled = true;
    walk->bytes = packed.ptr;
    walk->end = 8 * (uint64_t)packed.len;
    while (is_good && !block.is_final) {
        is_good = read_block(walk, block.to, plain.len, &block);
        are_settled = are_settled && (block.type == BLOCK_STORED || fate_of(&block) == FATE_COPIED);
        list_add(&arena, &blocks, block);
    }
    if (!is_good || block.to != plain.len || (walk->at + 7) / 8 != packed.len) {
        err_set(err, ERR_INTERNAL, "libdeflate wrote a stream that is not of its input");
        return false;
    }
    return are_settled || rewrite(&blocks, walk, plain, settled, err);
}
