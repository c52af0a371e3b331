/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/deflate_settle.h"
#include "layer/layer_codec.h"

#include <libdeflate.h>
#include <sys/mman.h>

/* By measurement (scripts/bench compression): higher levels cost more and gain less than any before them. */
#define LEVEL 5
/* libdeflate wants its input whole: this much at a time, each a member of its own (RFC 1952 section 2.2). */
#define MEMBER_BYTES ((size_t)64 << 20)
#define HEADER_BYTES ((size_t)10)
#define TRAILER_BYTES ((size_t)8)

/* Maps a buffer: malloc() would keep what was freed. Huge pages save some ten thousand page faults per member. */
static char *map_buffer(size_t bytes)
{
    void *buffer = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED)
        memory_abort(bytes);
    (void)madvise(buffer, bytes, MADV_HUGEPAGE);
    return buffer;
}

static bool gzip_begin(struct compressor *compressor, uint64_t plain_bytes, struct err *err)
{
    (void)err;
    compressor->state = libdeflate_alloc_compressor(LEVEL);
    if (!compressor->state)
        memory_abort(0);
    compressor->in_capacity = plain_bytes < MEMBER_BYTES ? (size_t)plain_bytes : MEMBER_BYTES;
    compressor->out_capacity = libdeflate_gzip_compress_bound(compressor->state, compressor->in_capacity);
    compressor->in = map_buffer(compressor->in_capacity + 1);
    compressor->out = map_buffer(compressor->out_capacity);
    return true;
}

/* Writes the collected bytes as one member; libdeflate's header has no name, time 0 and OS 255. */
static bool write_member(struct compressor *compressor, struct err *err)
{
    struct text plain = {compressor->in, compressor->in_len};
    const char *out = compressor->out;
    size_t len =
        libdeflate_gzip_compress(compressor->state, plain.ptr, plain.len, compressor->out, compressor->out_capacity);
    compressor->in_len = 0;
    if (len < HEADER_BYTES + TRAILER_BYTES) {
        err_set(err, ERR_INTERNAL, "libdeflate passes its own bound on the size of a gzip member");
        return false;
    }
    struct text packed = {out + HEADER_BYTES, len - HEADER_BYTES - TRAILER_BYTES};
    return blob_write(compressor->blob, out, HEADER_BYTES, err) &&
           deflate_settle(compressor->blob, packed, plain, err) &&
           blob_write(compressor->blob, out + len - TRAILER_BYTES, TRAILER_BYTES, err);
}

static bool gzip_feed(struct compressor *compressor, const void *bytes, size_t len, struct err *err)
{
    const char *at = bytes;
    while (len) {
        if (compressor->in_len == compressor->in_capacity && !write_member(compressor, err))
            return false;
        size_t room = compressor->in_capacity - compressor->in_len, part = len < room ? len : room;
        memcpy(compressor->in + compressor->in_len, at, part);
        compressor->in_len += part;
        at += part;
        len -= part;
    }
    return true;
}

static bool gzip_end(struct compressor *compressor, struct err *err)
{
    return write_member(compressor, err);
}

static void gzip_done(struct compressor *compressor)
{
    libdeflate_free_compressor(compressor->state);
    if (compressor->in)
        (void)munmap(compressor->in, compressor->in_capacity + 1);
    if (compressor->out)
        (void)munmap(compressor->out, compressor->out_capacity);
    *compressor = (struct compressor){0};
}

/* A member, and what becomes of it: mostly less than a half. */
static uint64_t gzip_memory(uint64_t plain_bytes)
{
    uint64_t member_bytes = plain_bytes < MEMBER_BYTES ? plain_bytes : MEMBER_BYTES;
    return member_bytes + member_bytes / 2;
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
                                 .memory = gzip_memory,
                                 .begin = gzip_begin,
                                 .feed = gzip_feed,
                                 .end = gzip_end,
                                 .done = gzip_done};
