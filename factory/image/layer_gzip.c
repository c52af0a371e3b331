#include "image/layer_codec.h"

#include <libdeflate.h>
#include <stdlib.h>

#define LEVEL 6
/* libdeflate wants its input whole: this much at a time, each a member of its own (RFC 1952 section 2.2). */
#define MEMBER_BYTES ((size_t)64 << 20)

static bool gzip_begin(struct compressor *compressor, uint64_t plain_bytes, struct err *err)
{
    (void)err;
    compressor->state = libdeflate_alloc_compressor(LEVEL);
    if (!compressor->state)
        memory_abort(0);
    compressor->in_capacity = plain_bytes < MEMBER_BYTES ? (size_t)plain_bytes : MEMBER_BYTES;
    compressor->out_capacity = libdeflate_gzip_compress_bound(compressor->state, compressor->in_capacity);
    compressor->in = malloc(compressor->in_capacity + 1);
    compressor->out = malloc(compressor->out_capacity);
    if (!compressor->in || !compressor->out)
        memory_abort(compressor->out_capacity);
    return true;
}

/* Writes the collected bytes as one member; libdeflate's header has no name, time 0 and OS 255. */
static bool write_member(struct compressor *compressor, struct err *err)
{
    size_t len = libdeflate_gzip_compress(compressor->state, compressor->in, compressor->in_len, compressor->out,
                                          compressor->out_capacity);
    compressor->in_len = 0;
    if (len)
        return blob_write(compressor->blob, compressor->out, len, err);
    err_set(err, ERR_INTERNAL, "libdeflate passes its own bound on the size of a gzip member");
    return false;
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
    free(compressor->in);
    free(compressor->out);
    *compressor = (struct compressor){0};
}

const struct codec codec_gzip = {.name = "gzip",
                                 .media_type = "application/vnd.oci.image.layer.v1.tar+gzip",
                                 .begin = gzip_begin,
                                 .feed = gzip_feed,
                                 .end = gzip_end,
                                 .done = gzip_done};
