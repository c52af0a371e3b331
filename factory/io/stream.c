/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream.h"

#include "io/archive_library.h"
#include "io/xz.h"

#include <limits.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE_BYTES ((size_t)256 * 1024)
#define ZLIB_GZIP_ONLY (15 + 16) /* window bits of inflateInit2(): the largest window, and a gzip header */

struct stream {
    const struct stream_kind *kind;
    const char *name;
    struct text input, rest; /* rest: what has not been read yet (zlib, libzstd) */
    z_stream inflater;
    ZSTD_DCtx *unzstd;
    lzma_stream unxz;
    struct archive *archive;
    struct archive_library library; /* with `archive` */
    bool is_open;                   /* the library's part is to be closed */
    bool is_inside;                 /* a member or frame has begun and not ended */
    bool is_empty;                  /* libarchive found no byte in it */
    char *piece;
};

/* What a compression needs; `next` gives at least a byte, or none at the end. */
struct stream_kind {
    bool (*open)(struct stream *stream, struct err *err);
    bool (*next)(struct stream *stream, struct text *ret_piece, struct err *err);
    void (*close)(struct stream *stream);
};

/* "BZh", the block size, and the 48 bits that begin a block or the end of the stream: a name could be "BZh9". */
static bool is_bzip2(struct text bytes)
{
    return bytes.len >= 10 && memcmp(bytes.ptr, "BZh", 3) == 0 && bytes.ptr[3] >= '1' && bytes.ptr[3] <= '9' &&
           (memcmp(bytes.ptr + 4, "1AY&SY", 6) == 0 || memcmp(bytes.ptr + 4, "\x17rE8P\x90", 6) == 0);
}

/* A frame, or one to be skipped: 0x184D2A5? in little endian. */
static bool is_zstd(struct text bytes)
{
    return bytes.len >= 4 && (memcmp(bytes.ptr, "\x28\xb5\x2f\xfd", 4) == 0 ||
                              ((bytes.ptr[0] & 0xf0) == 0x50 && memcmp(bytes.ptr + 1, "\x2a\x4d\x18", 3) == 0));
}

enum compression compression_of_bytes(struct text bytes)
{
    if (bytes.len >= 3 && memcmp(bytes.ptr, "\x1f\x8b\x08", 3) == 0)
        return COMPRESSION_GZIP;
    if (bytes.len >= 6 && memcmp(bytes.ptr, "\xfd\x37zXZ", 6) == 0)
        return COMPRESSION_XZ;
    if (is_zstd(bytes))
        return COMPRESSION_ZSTD;
    if (bytes.len >= 4 && memcmp(bytes.ptr, "\x04\x22\x4d\x18", 4) == 0)
        return COMPRESSION_LZ4;
    return is_bzip2(bytes) ? COMPRESSION_BZIP2 : COMPRESSION_NONE;
}

static bool refuse(const struct stream *stream, const char *why, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s", stream->name, why);
    return false;
}

/* --- plain --- */

static bool plain_open(struct stream *stream, struct err *err)
{
    (void)err;
    stream->is_open = true;
    return true;
}

static bool plain_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    (void)err;
    size_t len = stream->rest.len < PIECE_BYTES ? stream->rest.len : PIECE_BYTES;
    *ret_piece = (struct text){stream->rest.ptr, len};
    stream->rest = (struct text){stream->rest.ptr + len, stream->rest.len - len};
    return true;
}

static void plain_close(struct stream *stream)
{
    (void)stream;
}

/* --- gzip --- */

static bool gzip_open(struct stream *stream, struct err *err)
{
    (void)err;
    if (inflateInit2(&stream->inflater, ZLIB_GZIP_ONLY) != Z_OK)
        memory_abort(0);
    stream->is_open = true;
    stream->is_inside = true;
    return true;
}

static bool gzip_fault(const struct stream *stream, int result, struct err *err)
{
    const char *why = stream->inflater.msg ? stream->inflater.msg : "the gzip data are cut off";
    if (result == Z_MEM_ERROR)
        memory_abort(0);
    if (strcmp(why, "incorrect data check") == 0 || strcmp(why, "incorrect length check") == 0)
        why = "the gzip data have another checksum or length than they say: damaged";
    return refuse(stream, why, err);
}

/* Begins the next member behind one that has ended. */
static bool gzip_begin(struct stream *stream, struct err *err)
{
    if (compression_of_bytes(stream->rest) != COMPRESSION_GZIP)
        return refuse(stream, "there are bytes behind the end of the gzip data", err);
    if (inflateReset(&stream->inflater) != Z_OK)
        memory_abort(0);
    stream->is_inside = true;
    return true;
}

static bool gzip_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    z_stream *inflater = &stream->inflater;
    inflater->next_out = (Bytef *)stream->piece;
    inflater->avail_out = PIECE_BYTES;
    while (inflater->avail_out && (stream->is_inside || stream->rest.len)) {
        if (!stream->is_inside && !gzip_begin(stream, err))
            return false;
        size_t len = stream->rest.len < INT_MAX ? stream->rest.len : INT_MAX;
        inflater->next_in = (Bytef *)(uintptr_t)stream->rest.ptr; /* zlib reads it only */
        inflater->avail_in = (uInt)len;
        int result = inflate(inflater, Z_NO_FLUSH);
        size_t used = len - inflater->avail_in;
        stream->rest = (struct text){stream->rest.ptr + used, stream->rest.len - used};
        if (result != Z_OK && result != Z_STREAM_END)
            return gzip_fault(stream, result, err);
        stream->is_inside = result != Z_STREAM_END;
    }
    *ret_piece = (struct text){stream->piece, PIECE_BYTES - inflater->avail_out};
    return true;
}

static void gzip_close(struct stream *stream)
{
    (void)inflateEnd(&stream->inflater);
}

/* --- zstd --- */

static bool zstd_open(struct stream *stream, struct err *err)
{
    (void)err;
    stream->unzstd = ZSTD_createDCtx();
    if (!stream->unzstd)
        memory_abort(0);
    stream->is_open = true;
    return true;
}

static bool zstd_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    ZSTD_outBuffer out = {stream->piece, PIECE_BYTES, 0};
    bool is_full = false;
    while (!is_full && (stream->rest.len || stream->is_inside)) {
        ZSTD_inBuffer in = {stream->rest.ptr, stream->rest.len, 0};
        size_t had = out.pos, result = ZSTD_decompressStream(stream->unzstd, &out, &in);
        if (ZSTD_isError(result))
            return refuse(stream,
                          stream->is_inside || stream->rest.len == stream->input.len
                              ? ZSTD_getErrorName(result)
                              : "there are bytes behind the end of the zstd data",
                          err);
        if (!in.pos && out.pos == had && out.pos < out.size)
            return refuse(stream, "the zstd data are cut off", err);
        stream->rest = (struct text){stream->rest.ptr + in.pos, stream->rest.len - in.pos};
        stream->is_inside = result != 0;
        is_full = out.pos == out.size;
    }
    *ret_piece = (struct text){stream->piece, out.pos};
    return true;
}

static void zstd_close(struct stream *stream)
{
    (void)ZSTD_freeDCtx(stream->unzstd);
}

/* --- xz --- */

/* Beside the dictionary a decoder takes some 100 kB. */
#define XZ_MEMORY_MAX_BYTES (XZ_DICTIONARY_MAX_BYTES + ((uint64_t)1 << 20))

static bool xz_fault(const struct stream *stream, lzma_ret result, struct err *err)
{
    static const char *const whys[] = {
        [LZMA_FORMAT_ERROR] = "its bytes are no xz data",
        [LZMA_OPTIONS_ERROR] = "the xz data want what this liblzma has not",
        [LZMA_DATA_ERROR] = "the xz data are damaged",
        [LZMA_BUF_ERROR] = "the xz data are cut off",
        [LZMA_MEMLIMIT_ERROR] = "the xz data want too much memory",
    };
    if (result == LZMA_MEM_ERROR)
        memory_abort(0);
    const char *why = (size_t)result < ARRAY_COUNT(whys) ? whys[result] : NULL;
    return refuse(stream, why ? why : "broken xz data", err);
}

/* Several streams and padding between them are one file (xz-file-format.txt, section 2). */
static bool xz_open(struct stream *stream, struct err *err)
{
    if (!xz_check_dictionaries(stream->input, stream->name, err))
        return false;
    stream->unxz = (lzma_stream)LZMA_STREAM_INIT;
    stream->is_open = stream->is_inside = true;
    lzma_ret result = lzma_stream_decoder(&stream->unxz, XZ_MEMORY_MAX_BYTES, LZMA_CONCATENATED);
    stream->unxz.next_in = (const uint8_t *)stream->input.ptr;
    stream->unxz.avail_in = stream->input.len;
    return result == LZMA_OK || xz_fault(stream, result, err);
}

static bool xz_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    lzma_ret result = stream->is_inside ? LZMA_OK : LZMA_STREAM_END;
    stream->unxz.next_out = (uint8_t *)stream->piece;
    stream->unxz.avail_out = PIECE_BYTES;
    while (result == LZMA_OK && stream->unxz.avail_out)
        result = lzma_code(&stream->unxz, LZMA_FINISH);
    stream->is_inside = result != LZMA_STREAM_END;
    *ret_piece = (struct text){stream->piece, PIECE_BYTES - stream->unxz.avail_out};
    return result == LZMA_OK || result == LZMA_STREAM_END || xz_fault(stream, result, err);
}

static void xz_close(struct stream *stream)
{
    lzma_end(&stream->unxz);
}

/* --- lzma, xz's predecessor: no magic number, no checksum, one stream --- */

/* What a header can be (LZMA SDK, lzma-specification.txt): properties, size of the dictionary, size of what comes out. */
static bool may_be_lzma(struct text bytes)
{
    return bytes.len > 13 && (unsigned char)bytes.ptr[0] < 9 * 5 * 5;
}

static bool lzma_open(struct stream *stream, struct err *err)
{
    stream->unxz = (lzma_stream)LZMA_STREAM_INIT;
    stream->is_open = stream->is_inside = true;
    lzma_ret result = lzma_alone_decoder(&stream->unxz, XZ_MEMORY_MAX_BYTES);
    stream->unxz.next_in = (const uint8_t *)stream->input.ptr;
    stream->unxz.avail_in = stream->input.len;
    return result == LZMA_OK || xz_fault(stream, result, err);
}

static bool lzma_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    if (!xz_next(stream, ret_piece, err))
        return false;
    return stream->is_inside || !stream->unxz.avail_in ||
           refuse(stream, "there are bytes behind the end of the lzma data", err);
}

/* --- bzip2 and lz4 by libarchive --- */

static bool archive_fault(const struct stream *stream, struct err *err)
{
    const char *why = stream->library.error_string(stream->archive);
    return refuse(stream, why ? why : "broken compressed data", err);
}

/* libarchive takes a filter that fails at once for one that gives nothing: what holds nothing has to look like it. */
static bool has_nothing(const struct stream *stream)
{
    return is_bzip2(stream->input) && memcmp(stream->input.ptr + 4, "\x17rE8P\x90", 6) == 0;
}

static bool archive_open(struct stream *stream, int code, struct err *err)
{
    struct archive_entry *entry;
    if (!archive_library_load(stream->name, &stream->library, err))
        return false;
    stream->archive = stream->library.read_new();
    if (!stream->archive)
        memory_abort(0);
    stream->is_open = true;
    if (stream->library.append_filter(stream->archive, code) != ARCHIVE_OK) {
        err_set(err, ERR_INTERNAL, "%s: this libarchive cannot read its compression", stream->name);
        return false;
    }
    if (stream->library.support_raw(stream->archive) != ARCHIVE_OK ||
        stream->library.support_empty(stream->archive) != ARCHIVE_OK ||
        stream->library.open_memory(stream->archive, stream->input.ptr, stream->input.len) != ARCHIVE_OK)
        return archive_fault(stream, err);
    int result = stream->library.next_header(stream->archive, &entry);
    stream->is_empty = result == ARCHIVE_EOF;
    if (stream->is_empty)
        return has_nothing(stream) || refuse(stream, "broken or cut compressed data", err);
    return result == ARCHIVE_OK || archive_fault(stream, err);
}

static bool bzip2_open(struct stream *stream, struct err *err)
{
    return archive_open(stream, ARCHIVE_FILTER_BZIP2, err);
}

static bool lz4_open(struct stream *stream, struct err *err)
{
    return archive_open(stream, ARCHIVE_FILTER_LZ4, err);
}

/* Hands over libarchive's own blocks; their gaps (sparse files) do not occur in the raw format. Its bzip2 filter leaves
 * bytes behind the stream alone. */
static bool archive_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    const void *bytes = NULL;
    size_t len = 0;
    la_int64_t offset;
    int result = stream->is_empty ? ARCHIVE_EOF : ARCHIVE_OK;
    while (result == ARCHIVE_OK && !len)
        result = stream->library.data_block(stream->archive, &bytes, &len, &offset);
    if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
        return archive_fault(stream, err);
    *ret_piece = (struct text){bytes, result == ARCHIVE_OK ? len : 0};
    return ret_piece->len || stream->library.filter_bytes(stream->archive, -1) == (la_int64_t)stream->input.len ||
           refuse(stream, "there are bytes behind the end of the compressed data", err);
}

static void archive_close(struct stream *stream)
{
    (void)stream->library.read_free(stream->archive);
}

static const struct stream_kind kinds[] = {[COMPRESSION_NONE] = {plain_open, plain_next, plain_close},
                                           [COMPRESSION_GZIP] = {gzip_open, gzip_next, gzip_close},
                                           [COMPRESSION_XZ] = {xz_open, xz_next, xz_close},
                                           [COMPRESSION_ZSTD] = {zstd_open, zstd_next, zstd_close},
                                           [COMPRESSION_BZIP2] = {bzip2_open, archive_next, archive_close},
                                           [COMPRESSION_LZMA] = {lzma_open, lzma_next, xz_close},
                                           [COMPRESSION_LZ4] = {lz4_open, archive_next, archive_close}};

bool stream_open(enum compression compression, struct text input, const char *name, struct stream **ret_stream,
                 struct err *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream || !(stream->piece = malloc(PIECE_BYTES)))
        memory_abort(PIECE_BYTES);
    stream->kind = &kinds[compression];
    stream->name = name;
    stream->input = stream->rest = input;
    bool is_it = compression == COMPRESSION_NONE ||
                 (compression == COMPRESSION_LZMA ? may_be_lzma(input) : compression_of_bytes(input) == compression) ||
                 refuse(stream, "its bytes are not compressed as its name says", err);
    if (is_it && stream->kind->open(stream, err)) {
        *ret_stream = stream;
        return true;
    }
    stream_close(stream);
    return false;
}

bool stream_next(struct stream *stream, struct text *ret_piece, struct err *err)
{
    return stream->kind->next(stream, ret_piece, err);
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    if (stream->is_open)
        stream->kind->close(stream);
    free(stream->piece);
    free(stream);
}

void stream_auto_close(struct stream **stream)
{
    stream_close(*stream);
}
