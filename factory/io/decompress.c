/* gzip goes through libdeflate (four times as fast as zlib); the rest through libarchive's raw reader. libarchive is
 * given one filter only, and its chain is checked after opening, since it would peel off several layers of that filter;
 * it is also asked how much of the input it used, since its bzip2 filter leaves bytes behind the stream alone. Memory:
 * the output has a cap; a zstd window is limited to 128 MiB by libzstd; the dictionary of xz, which libarchive does not
 * limit, is checked before (xz.h). */
#include "io/decompress.h"
#include "base/auto.h"
#include "io/xz.h"

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <libdeflate.h>

static const struct {
    enum compression compression;
    const char *ending;
} endings[] = {
    {COMPRESSION_GZIP, ".gz"}, {COMPRESSION_XZ, ".xz"}, {COMPRESSION_ZSTD, ".zst"}, {COMPRESSION_BZIP2, ".bz2"}};

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

static void free_reader(struct archive **reader)
{
    (void)archive_read_free(*reader);
}

static bool refuse_archive(const struct job *job, struct archive *reader, struct err *err)
{
    const char *why = archive_error_string(reader);
    refuse(job, why ? why : "broken compressed data", err);
    text_sanitize(err->text);
    return false;
}

static bool add_filter(struct archive *reader, enum compression compression, int *ret_code)
{
    switch (compression) {
    case COMPRESSION_XZ:
        *ret_code = ARCHIVE_FILTER_XZ;
        return archive_read_support_filter_xz(reader) == ARCHIVE_OK;
    case COMPRESSION_ZSTD:
        *ret_code = ARCHIVE_FILTER_ZSTD;
        return archive_read_support_filter_zstd(reader) == ARCHIVE_OK;
    case COMPRESSION_BZIP2:
        *ret_code = ARCHIVE_FILTER_BZIP2;
        return archive_read_support_filter_bzip2(reader) == ARCHIVE_OK;
    case COMPRESSION_GZIP:
        *ret_code = ARCHIVE_FILTER_GZIP;
        return archive_read_support_filter_gzip(reader) == ARCHIVE_OK;
    case COMPRESSION_NONE:
        break;
    }
    return false;
}

/* Opens the input and checks that the chain is exactly one filter over the bytes in memory. */
static bool open_reader(const struct job *job, enum compression compression, struct archive *reader, bool *ret_is_empty,
                        struct err *err)
{
    int code = 0;
    struct archive_entry *entry;
    if (compression == COMPRESSION_XZ && !xz_check_dictionaries(job->input, job->name, err))
        return false;
    if (!add_filter(reader, compression, &code)) {
        err_set(err, ERR_INTERNAL, "%s: this libarchive cannot read %s", job->name, compression_ending(compression));
        return false;
    }
    if (archive_read_support_format_raw(reader) != ARCHIVE_OK ||
        archive_read_support_format_empty(reader) != ARCHIVE_OK ||
        archive_read_open_memory(reader, job->input.ptr, job->input.len) != ARCHIVE_OK)
        return refuse_archive(job, reader, err);
    int result = archive_read_next_header(reader, &entry);
    if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
        return refuse_archive(job, reader, err);
    if (archive_filter_count(reader) > 2)
        return refuse(job, "compressed more than once", err);
    if (archive_filter_code(reader, 0) != code)
        return refuse(job, "not compressed as its name says", err);
    *ret_is_empty = result == ARCHIVE_EOF;
    return true;
}

/* Reads to the end even when nothing more may come: only there are checksums verified. */
static bool read_all(const struct job *job, struct archive *reader, struct err *err)
{
    struct buf *out = job->out;
    for (;;) {
        char surplus;
        bool has_room = room_of(out) > 0 || grow(out, FIRST_ROOM_BYTES);
        la_ssize_t got = has_room ? archive_read_data(reader, out->bytes + out->len, room_of(out))
                                  : archive_read_data(reader, &surplus, 1);
        if (got < 0)
            return refuse_archive(job, reader, err);
        if (got == 0)
            return true;
        if (!has_room)
            return refuse_long(job, err);
        out->len += (size_t)got;
    }
}

static bool check_end(const struct job *job, struct archive *reader, struct err *err)
{
    if (archive_filter_bytes(reader, -1) != (la_int64_t)job->input.len)
        return refuse(job, "bad bytes behind the end of the compressed data", err);
    return true;
}

static bool unfilter(const struct job *job, enum compression compression, struct err *err)
{
    AUTO(free_reader) struct archive *reader = archive_read_new();
    bool is_empty = false;
    if (!reader)
        memory_abort(0);
    if (!open_reader(job, compression, reader, &is_empty, err))
        return false;
    if (!is_empty && !read_all(job, reader, err))
        return false;
    return check_end(job, reader, err);
}

/* Hands over libarchive's own blocks; their gaps (sparse files) do not occur in the raw format. */
static bool hand_over(const struct job *job, struct archive *reader, decompress_take *take, void *taker,
                      struct err *err)
{
    const void *block;
    size_t len;
    la_int64_t offset;
    int result;
    for (uint64_t total = 0; (result = archive_read_data_block(reader, &block, &len, &offset)) == ARCHIVE_OK;) {
        if (__builtin_add_overflow(total, len, &total) || total > job->size_bytes)
            return refuse_long(job, err);
        if (!take(taker, (struct text){block, len}, err))
            return false;
    }
    return result == ARCHIVE_EOF || refuse_archive(job, reader, err);
}

bool decompress_pieces(enum compression compression, struct text input, uint64_t cap_bytes, const char *name,
                       decompress_take *take, void *taker, struct err *err)
{
    struct job job = {.name = name, .input = input, .size_bytes = cap_bytes};
    bool is_empty = false;
    if (compression == COMPRESSION_NONE)
        return input.len > cap_bytes ? refuse_long(&job, err) : take(taker, input, err);
    AUTO(free_reader) struct archive *reader = archive_read_new();
    if (!reader)
        memory_abort(0);
    return open_reader(&job, compression, reader, &is_empty, err) &&
           (is_empty || hand_over(&job, reader, take, taker, err)) && check_end(&job, reader, err);
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
        return unfilter(job, compression, err);
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
    if (!is_good) {
        buf_done(ret);
        return false;
    }
    ret->bytes[ret->len] = '\0';
    return true;
}
