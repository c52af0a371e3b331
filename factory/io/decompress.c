/* SPDX-License-Identifier: Apache-2.0 */
/* gzip in one piece goes through libdeflate (four times as fast as zlib), the rest through stream.h. Memory: the output
 * has a cap. */
#include "io/decompress.h"
#include "base/auto.h"
#include "io/stream.h"

#include <inttypes.h>
#include <libdeflate.h>

static const struct {
    enum compression compression;
    const char *ending;
} endings[] = {{COMPRESSION_GZIP, ".gz"},   {COMPRESSION_XZ, ".xz"},     {COMPRESSION_ZSTD, ".zst"},
               {COMPRESSION_BZIP2, ".bz2"}, {COMPRESSION_LZMA, ".lzma"}, {COMPRESSION_LZ4, ".lz4"}};

enum compression compression_of_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (text_has_suffix(text_of(name), endings[i].ending))
            return endings[i].compression;
    }
    return COMPRESSION_NONE;
}

const char *compression_ending(enum compression compression)
{
    for (size_t i = 0; i < ARRAY_COUNT(endings); i++) {
        if (endings[i].compression == compression)
            return endings[i].ending;
    }
    return "";
}

/* One call of decompress(). */
struct job {
    const char *name;
    struct text input;
    bool is_size_known;
    uint64_t size_bytes;
    struct buf *out; /* its cap is size_bytes */
};

static bool refuse(const struct job *job, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", job->name, why);
    return false;
}

static bool refuse_long(const struct job *job, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: unpacks to more than the %" PRIu64 " bytes that are %s", job->name,
            job->size_bytes, job->is_size_known ? "expected" : "allowed");
    return false;
}

/* Bytes that can be written behind out->len without an allocation and below the cap; one is kept for the NUL. */
static size_t room_of(const struct buf *out)
{
    size_t free_bytes = out->capacity ? out->capacity - 1 - out->len : 0, left = out->cap_bytes - out->len;
    return free_bytes < left ? free_bytes : left;
}

/* Doubles the room, at least to `least`, as far as the cap allows. Returns false when not a byte could be added. */
static bool grow(struct buf *out, size_t least)
{
    size_t left = out->cap_bytes - out->len, had = room_of(out);
    size_t wanted = had < SIZE_MAX / 2 ? had * 2 : had;
    wanted = wanted < least ? least : wanted;
    return had < left && buf_reserve(out, wanted < left ? wanted : left) && room_of(out) > had;
}

/* RFC 1951: a deflate stream cannot expand by more than 1032 to 1. */
#define DEFLATE_RATIO_MAX 1032u
#define FIRST_ROOM_BYTES ((size_t)64 * 1024)

/* The last four bytes of a member are its size modulo 2^32 (RFC 1952, 2.3.1): a hint only, kept within what is
 * possible. */
static size_t gzip_hint(struct text input)
{
    if (input.len < 4)
        return FIRST_ROOM_BYTES;
    const unsigned char *end = (const unsigned char *)input.ptr + input.len - 4;
    size_t hint = end[0] | (size_t)end[1] << 8 | (size_t)end[2] << 16 | (size_t)end[3] << 24;
    return hint / DEFLATE_RATIO_MAX > input.len ? FIRST_ROOM_BYTES : hint;
}

static bool gunzip_member(const struct job *job, struct libdeflate_decompressor *inflater, struct text *rest,
                          struct err *err)
{
    for (;;) {
        size_t used = 0, made = 0;
        struct buf *out = job->out;
        switch (libdeflate_gzip_decompress_ex(inflater, rest->ptr, rest->len, out->bytes + out->len, room_of(out),
                                              &used, &made)) {
        case LIBDEFLATE_SUCCESS:
            out->len += made;
            rest->ptr += used;
            rest->len -= used;
            return true;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            if (!grow(out, FIRST_ROOM_BYTES))
                return refuse_long(job, err);
            break;
        case LIBDEFLATE_BAD_DATA:
        case LIBDEFLATE_SHORT_OUTPUT:
            return refuse(job,
                          rest->len < job->input.len ? "bad bytes behind the end of the gzip data"
                                                     : "broken or cut gzip data",
                          err);
        }
    }
}

static void free_inflater(struct libdeflate_decompressor **inflater)
{
    libdeflate_free_decompressor(*inflater);
}

static bool gunzip(const struct job *job, struct err *err)
{
    AUTO(free_inflater) struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    struct text rest = job->input;
    if (!inflater)
        memory_abort(0);
    if (!job->is_size_known)
        (void)grow(job->out, gzip_hint(job->input));
    do {
        if (!gunzip_member(job, inflater, &rest, err))
            return false;
    } while (rest.len > 0);
    return true;
}

/* What is compressed more than once is nothing that anybody asks for. */
static bool check_beginning(const struct job *job, struct text begin, struct err *err)
{
    return compression_of_bytes(begin) == COMPRESSION_NONE || refuse(job, "compressed more than once", err);
}

static bool run_pieces(const struct job *job, enum compression compression, decompress_take *take, void *taker,
                       struct err *err)
{
    AUTO(stream_auto_close) struct stream *stream = NULL;
    struct text piece;
    if (!stream_open(compression, job->input, job->name, &stream, err))
        return false;
    for (uint64_t total = 0; stream_next(stream, &piece, err); total += piece.len) {
        if (!piece.len)
            return true;
        if (piece.len > job->size_bytes - total)
            return refuse_long(job, err);
        if ((total == 0 && !check_beginning(job, piece, err)) || !take(taker, piece, err))
            return false;
    }
    return false;
}

bool decompress_pieces(enum compression compression, struct text input, uint64_t cap_bytes, const char *name,
                       decompress_take *take, void *taker, struct err *err)
{
    struct job job = {.name = name, .input = input, .size_bytes = cap_bytes};
    if (compression == COMPRESSION_NONE)
        return input.len > cap_bytes ? refuse_long(&job, err) : take(taker, input, err);
    return run_pieces(&job, compression, take, taker, err);
}

static bool add_piece(void *taker, struct text piece, struct err *err)
{
    const struct job *job = taker;
    if (room_of(job->out) < piece.len)
        (void)grow(job->out, piece.len);
    return buf_add(job->out, piece.ptr, piece.len) || refuse_long(job, err);
}

static bool run(const struct job *job, enum compression compression, struct err *err)
{
    switch (compression) {
    case COMPRESSION_NONE:
        return buf_add(job->out, job->input.ptr, job->input.len) || refuse_long(job, err);
    case COMPRESSION_GZIP:
        return gunzip(job, err);
    case COMPRESSION_XZ:
    case COMPRESSION_ZSTD:
    case COMPRESSION_BZIP2:
    case COMPRESSION_LZMA:
    case COMPRESSION_LZ4:
        return run_pieces(job, compression, add_piece, (void *)job, err);
    }
    return refuse(job, "unknown compression", err);
}

bool decompress(enum compression compression, struct text input, bool is_size_known, size_t size_bytes,
                const char *name, struct buf *ret, struct err *err)
{
    struct job job = {name, input, is_size_known, size_bytes, ret};
    buf_init(ret, size_bytes);
    bool is_possible =
        compression == COMPRESSION_GZIP ? size_bytes / DEFLATE_RATIO_MAX <= input.len : size_bytes < PTRDIFF_MAX;
    if (is_size_known && !is_possible) {
        err_set(err, ERR_MALFORMED, "%s: %zu bytes cannot unpack to the %zu bytes that are expected", name, input.len,
                size_bytes);
        return false;
    }
    /* One allocation of the known size; else at least one byte, so that there is always a place for the NUL. */
    bool is_good = buf_reserve(ret, is_size_known ? size_bytes : 0) && run(&job, compression, err);
    if (is_good && is_size_known && ret->len != size_bytes) {
        err_set(err, ERR_MALFORMED, "%s: unpacks to %zu bytes, expected %zu", name, ret->len, size_bytes);
        is_good = false;
    }
    is_good =
        is_good && (compression != COMPRESSION_GZIP || check_beginning(&job, (struct text){ret->bytes, ret->len}, err));
    if (!is_good) {
        buf_done(ret);
        return false;
    }
    ret->bytes[ret->len] = '\0';
    return true;
}
