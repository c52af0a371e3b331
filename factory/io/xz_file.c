/* Sizes are below 2^63 (xz_take_number()) and compared with what is left, never added to a place. */
#include "io/xz_file.h"

#include "base/digest.h"
#include "io/crc64.h"
#include "io/lzma2.h"

#include <libdeflate.h>
#include <stdlib.h>

#define HEADER_BYTES 12u /* of a stream; its footer has as many */
#define FLAGS_AT 6u      /* in the header */
#define SUM_BYTES 4u     /* of headers and indices */
#define UNKNOWN_SIZE UINT64_MAX

/* How a block's bytes are checked (section 2.1.1.2). */
enum check { CHECK_CRC32 = 1, CHECK_CRC64 = 4, CHECK_SHA256 = 10 };
static const unsigned char check_bytes[16] = {0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64};

enum place { AT_STREAM, AT_BLOCK, IN_BLOCK, AT_END };

struct xz_file {
    struct text rest; /* from the header, or the data, of what comes next */
    uint64_t plain_max;
    struct lzma2 *lzma2;
    enum place place;
    bool is_first;     /* no stream was read yet */
    struct text flags; /* of the stream, in its header */
    unsigned check;
    struct {
        uint64_t header_bytes, packed_bytes, plain_bytes; /* sizes as the header says, or unknown */
        uint64_t made_bytes;
        uint32_t crc32;
        uint64_t crc64;
        struct digest_stream digest;
    } block;
    uint64_t blocks_count, blocks_bytes;
    struct digest_stream records; /* of the stream's blocks, as the index has to list them */
    struct crc64 crc64;
    bool has_crc64;
};

static const char broken[] = "broken xz data", cut[] = "cut xz data";

static const unsigned char *bytes_at(struct text text, size_t at)
{
    return (const unsigned char *)text.ptr + at;
}

static uint32_t number_at(struct text text, size_t at)
{
    const unsigned char *b = bytes_at(text, at);
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Tells whether the bytes end with the sum of those before. */
static bool has_sum(struct text bytes)
{
    size_t len = bytes.len - SUM_BYTES;
    return number_at(bytes, len) == libdeflate_crc32(0, bytes.ptr, len);
}

static struct text take(struct text *rest, size_t len)
{
    struct text taken = {rest->ptr, len};
    *rest = (struct text){rest->ptr + len, rest->len - len};
    return taken;
}

/* Takes zeros up to the next multiple of 4 of `len`, which is what was taken before. */
static bool take_padding(struct text *rest, uint64_t len)
{
    for (; len % 4; len++) {
        if (!rest->len || *take(rest, 1).ptr)
            return false;
    }
    return true;
}

/* --- streams --- */

static const char *begin_stream(struct xz_file *file)
{
    while (!file->is_first && file->rest.len >= 4 && number_at(file->rest, 0) == 0)
        (void)take(&file->rest, 4);
    if (!file->is_first && !file->rest.len) {
        file->place = AT_END;
        return NULL;
    }
    if (file->rest.len < 2 * (size_t)HEADER_BYTES)
        return cut;
    struct text header = take(&file->rest, HEADER_BYTES);
    file->flags = (struct text){header.ptr + FLAGS_AT, 2};
    if (memcmp(header.ptr,
               "\xFD"
               "7zXZ",
               FLAGS_AT) != 0)
        return file->is_first ? broken : "there are bytes behind the end of the xz data";
    if (!has_sum((struct text){file->flags.ptr, 2 + SUM_BYTES}) || *bytes_at(file->flags, 0) ||
        *bytes_at(file->flags, 1) >= ARRAY_COUNT(check_bytes))
        return broken;
    file->check = *bytes_at(file->flags, 1);
    if (file->check == CHECK_CRC64 && !file->has_crc64) {
        crc64_init(&file->crc64);
        file->has_crc64 = true;
    }
    file->is_first = false;
    file->blocks_count = file->blocks_bytes = 0;
    digest_begin(&file->records);
    file->place = AT_BLOCK;
    return NULL;
}

/* Reads the records of the index; they must be those of the blocks, in their order. */
static bool take_records(struct xz_file *file, struct text *rest)
{
    uint64_t count, sizes[2];
    struct digest_stream listed;
    if (!xz_take_number(rest, &count) || count != file->blocks_count)
        return false;
    digest_begin(&listed);
    bool is_good = true;
    for (; is_good && count; count--) {
        is_good = xz_take_number(rest, &sizes[0]) && xz_take_number(rest, &sizes[1]);
        if (is_good)
            digest_feed(&listed, sizes, sizeof sizes);
    }
    struct digest want = digest_end(&file->records), got = digest_end(&listed);
    return is_good && digest_eq(&want, &got);
}

/* Reads index and footer (sections 4 and 2.1.2). */
static const char *end_stream(struct xz_file *file)
{
    struct text index = file->rest;
    (void)take(&file->rest, 1);
    if (!take_records(file, &file->rest) || !take_padding(&file->rest, index.len - file->rest.len) ||
        file->rest.len < SUM_BYTES + HEADER_BYTES)
        return broken;
    (void)take(&file->rest, SUM_BYTES);
    index.len -= file->rest.len;
    struct text footer = take(&file->rest, HEADER_BYTES);
    bool is_good = has_sum(index) && ((uint64_t)number_at(footer, 4) + 1) * 4 == index.len &&
                   memcmp(footer.ptr + 8, file->flags.ptr, 2) == 0 && memcmp(footer.ptr + 10, "YZ", 2) == 0 &&
                   number_at(footer, 0) == libdeflate_crc32(0, footer.ptr + 4, 6);
    file->place = AT_STREAM;
    return is_good ? NULL : broken;
}

/* --- blocks --- */

/* Reads a block's header (section 3.1), of which the filters were looked at by xz_check_dictionaries() if the index is
 * right, and have to be one of LZMA2 anyhow. */
static bool take_header(struct xz_file *file, struct text header)
{
    unsigned flags = *bytes_at(header, 1);
    struct text rest = {header.ptr + 2, header.len - 2 - SUM_BYTES};
    uint64_t id, property_bytes;
    file->block.packed_bytes = file->block.plain_bytes = UNKNOWN_SIZE;
    if (!has_sum(header) || (flags & 0x3F) || ((flags & 0x40) && !xz_take_number(&rest, &file->block.packed_bytes)) ||
        ((flags & 0x80) && !xz_take_number(&rest, &file->block.plain_bytes)) || !xz_take_number(&rest, &id) ||
        !xz_take_number(&rest, &property_bytes) || id != XZ_FILTER_LZMA2 || property_bytes != 1 || !rest.len ||
        *bytes_at(rest, 0) > 40)
        return false;
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.ptr[i])
            return false;
    }
    return true;
}

static const char *begin_block(struct xz_file *file)
{
    if (!file->rest.len)
        return cut;
    if (*file->rest.ptr == 0)
        return end_stream(file);
    size_t header_bytes = (*bytes_at(file->rest, 0) + (size_t)1) * 4;
    if (header_bytes > file->rest.len)
        return cut;
    file->block.header_bytes = header_bytes;
    file->block.made_bytes = file->block.crc64 = file->block.crc32 = 0;
    if (!take_header(file, take(&file->rest, header_bytes)))
        return broken;
    if (file->check == CHECK_SHA256)
        digest_begin(&file->block.digest);
    lzma2_begin(file->lzma2, file->rest);
    file->place = IN_BLOCK;
    return NULL;
}

static void add_to_check(struct xz_file *file, struct text piece)
{
    file->block.made_bytes += piece.len;
    if (file->check == CHECK_CRC32)
        file->block.crc32 = libdeflate_crc32(file->block.crc32, piece.ptr, piece.len);
    else if (file->check == CHECK_CRC64)
        file->block.crc64 = crc64_add(&file->crc64, file->block.crc64, piece);
    else if (file->check == CHECK_SHA256)
        digest_feed(&file->block.digest, piece.ptr, piece.len);
}

/* Compares the sum behind the block; kinds that nobody knows are not checked, as by everybody. */
static bool is_checked(struct xz_file *file, struct text sum)
{
    if (file->check == CHECK_CRC32)
        return number_at(sum, 0) == file->block.crc32;
    if (file->check == CHECK_CRC64)
        return (number_at(sum, 0) | (uint64_t)number_at(sum, 4) << 32) == file->block.crc64;
    if (file->check != CHECK_SHA256)
        return true;
    struct digest got = digest_end(&file->block.digest);
    return memcmp(got.bytes, sum.ptr, sizeof got.bytes) == 0;
}

static const char *end_block(struct xz_file *file)
{
    uint64_t packed = lzma2_used(file->lzma2), made = file->block.made_bytes;
    size_t sum_bytes = check_bytes[file->check];
    (void)take(&file->rest, (size_t)packed);
    if ((file->block.packed_bytes != UNKNOWN_SIZE && file->block.packed_bytes != packed) ||
        (file->block.plain_bytes != UNKNOWN_SIZE && file->block.plain_bytes != made) ||
        !take_padding(&file->rest, packed) || file->rest.len < sum_bytes)
        return broken;
    if (!is_checked(file, take(&file->rest, sum_bytes)))
        return "the xz data have another checksum than they say: damaged";
    uint64_t record[2] = {file->block.header_bytes + packed + sum_bytes, made};
    digest_feed(&file->records, record, sizeof record);
    file->blocks_count++;
    file->place = AT_BLOCK;
    return NULL;
}

static const char *next_piece(struct xz_file *file, struct text *ret_piece)
{
    const char *why = lzma2_next(file->lzma2, ret_piece);
    if (why || !ret_piece->len)
        return why ? why : end_block(file);
    if (ret_piece->len > file->plain_max - file->block.made_bytes)
        return "the xz data are longer than their index says";
    add_to_check(file, *ret_piece);
    return NULL;
}

const char *xz_file_next(struct xz_file *file, struct text *ret_piece)
{
    const char *why = NULL;
    *ret_piece = TEXT("");
    while (!why && !ret_piece->len && file->place != AT_END) {
        switch (file->place) {
        case AT_STREAM:
            why = begin_stream(file);
            break;
        case AT_BLOCK:
            why = begin_block(file);
            break;
        case IN_BLOCK:
            why = next_piece(file, ret_piece);
            break;
        case AT_END:
            break;
        }
    }
    return why;
}

struct xz_file *xz_file_open(struct text bytes, const struct xz_needs *needs)
{
    struct xz_file *file = calloc(1, sizeof *file);
    if (!file)
        memory_abort(sizeof *file);
    file->rest = bytes;
    file->is_first = true;
    file->plain_max = needs->plain_bytes;
    file->lzma2 = lzma2_open(needs->dictionary_bytes, needs->plain_bytes);
    return file;
}

void xz_file_close(struct xz_file *file)
{
    if (!file)
        return;
    digest_abandon(&file->block.digest);
    digest_abandon(&file->records);
    lzma2_close(file->lzma2);
    free(file);
}
