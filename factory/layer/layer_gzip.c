/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/deflate_settle.h"
#include "layer/layer_codec.h"

#include "base/auto.h"

#include <libdeflate.h>

/* By measurement (README.md): paid once for each content. Up to 9 all versions of libdeflate find the same matches. */
#define LEVEL 6
/* A member costs 18 bytes and matches in front of it; smaller files gain little by being compressed once. */
#define FILE_LEAST_BYTES ((uint64_t)16 << 10)
/* libdeflate wants its input whole, and gives its output whole: this bounds memory. */
#define MEMBER_MOST_BYTES ((size_t)8 << 20)
#define SHARED_MOST_BYTES ((size_t)1 << 20)
/* RFC 1952 section 2.3; libdeflate's header has no name, time 0 and OS 255. */
#define HEADER_BYTES ((size_t)10)
#define TRAILER_BYTES ((size_t)8)

static void *gzip_begin(struct err *err)
{
    void *state = libdeflate_alloc_compressor(LEVEL);
    (void)err;
    if (!state)
        memory_abort(0);
    return state;
}

static void gzip_done(void *state)
{
    libdeflate_free_compressor(state);
}

/* Puts another DEFLATE stream into a member. */
static void replace_stream(struct buf *member, const struct buf *stream)
{
    char trailer[TRAILER_BYTES];
    memcpy(trailer, member->bytes + member->len - TRAILER_BYTES, TRAILER_BYTES);
    member->len = HEADER_BYTES;
    if (!buf_add(member, stream->bytes, stream->len) || !buf_add(member, trailer, TRAILER_BYTES))
        memory_abort(stream->len);
}

static bool gzip_pack(void *state, struct text plain, struct buf *out, struct err *err)
{
    AUTO(buf_done) struct buf settled = {0};
    size_t bound = libdeflate_gzip_compress_bound(state, plain.len);
    out->len = 0;
    if (!buf_reserve(out, bound))
        memory_abort(bound);
    out->len = libdeflate_gzip_compress(state, plain.ptr, plain.len, out->bytes, bound);
    if (out->len < HEADER_BYTES + TRAILER_BYTES) {
        err_set(err, ERR_INTERNAL, "libdeflate passes its own bound on the size of a gzip member");
        return false;
    }
    struct text stream = {out->bytes + HEADER_BYTES, out->len - HEADER_BYTES - TRAILER_BYTES};
    buf_init(&settled, SIZE_MAX);
    if (!deflate_settle(stream, plain, &settled, err))
        return false;
    if (settled.len)
        replace_stream(out, &settled);
    return true;
}

/* Big files are cut where it is simplest: nobody takes a part of such a layer. */
static size_t gzip_cut(const struct cuts_table *table, struct text left, uint64_t file_bytes)
{
    (void)table;
    (void)file_bytes;
    return left.len < MEMBER_MOST_BYTES ? left.len : MEMBER_MOST_BYTES;
}

/* Nothing in the library tells its version. */
static const char *gzip_version(void)
{
    return LIBDEFLATE_VERSION_STRING;
}

const struct codec codec_gzip = {.library = "libdeflate",
                                 .symbol = "libdeflate_gzip_compress",
                                 .version = gzip_version,
                                 .level = LEVEL,
                                 .file_least_bytes = FILE_LEAST_BYTES,
                                 .shared_most_bytes = SHARED_MOST_BYTES,
                                 .cut = gzip_cut,
                                 .begin = gzip_begin,
                                 .pack = gzip_pack,
                                 .done = gzip_done};
