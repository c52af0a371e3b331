/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_codec.h"

#include <stdlib.h>
#include <zstd.h>

#define LEVEL 3

/* Window, tables and buffers of this level (ZSTD_estimateCStreamSize() is not for shared libraries). */
#define MEMORY_BYTES ((uint64_t)5 << 20)

static bool check(size_t code, struct err *err)
{
    if (!ZSTD_isError(code))
        return true;
    err_set(err, ERR_INTERNAL, "zstd refuses to compress a layer: %s", ZSTD_getErrorName(code));
    return false;
}

/* The size is known beforehand: zstd then suits its tables to it, writes it into the frame, and refuses any other. */
static bool zstd_begin(struct compressor *compressor, uint64_t plain_bytes, struct err *err)
{
    compressor->state = ZSTD_createCCtx();
    compressor->out_capacity = ZSTD_CStreamOutSize();
    compressor->out = malloc(compressor->out_capacity);
    if (!compressor->state || !compressor->out)
        memory_abort(compressor->out_capacity);
    return check(ZSTD_CCtx_setParameter(compressor->state, ZSTD_c_compressionLevel, LEVEL), err) &&
           check(ZSTD_CCtx_setParameter(compressor->state, ZSTD_c_checksumFlag, 1), err) &&
           check(ZSTD_CCtx_setPledgedSrcSize(compressor->state, plain_bytes), err);
}

static bool write_out(struct compressor *compressor, struct err *err)
{
    size_t len = compressor->out_len;
    compressor->out_len = 0;
    return blob_write(compressor->blob, compressor->out, len, err);
}

/* Runs zstd until all input is taken (and, with ZSTD_e_end, all output is out). Output is written a full buffer at a
 * time. */
static bool run(struct compressor *compressor, ZSTD_inBuffer in, ZSTD_EndDirective directive, struct err *err)
{
    for (;;) {
        ZSTD_outBuffer out = {compressor->out, compressor->out_capacity, compressor->out_len};
        size_t left = ZSTD_compressStream2(compressor->state, &out, &in, directive);
        compressor->out_len = out.pos;
        if (!check(left, err))
            return false;
        if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size)
            return true;
        if (compressor->out_len == compressor->out_capacity && !write_out(compressor, err))
            return false;
    }
}

static bool zstd_feed(struct compressor *compressor, const void *bytes, size_t len, struct err *err)
{
    return run(compressor, (ZSTD_inBuffer){bytes, len, 0}, ZSTD_e_continue, err);
}

static bool zstd_end(struct compressor *compressor, struct err *err)
{
    return run(compressor, (ZSTD_inBuffer){"", 0, 0}, ZSTD_e_end, err) && write_out(compressor, err);
}

static void zstd_done(struct compressor *compressor)
{
    (void)ZSTD_freeCCtx(compressor->state);
    free(compressor->out);
    *compressor = (struct compressor){0};
}

static uint64_t zstd_memory(uint64_t plain_bytes)
{
    (void)plain_bytes;
    return MEMORY_BYTES;
}

const struct codec codec_zstd = {.library = "libzstd",
                                 .symbol = "ZSTD_compressStream2",
                                 .version = ZSTD_versionString,
                                 .level = LEVEL,
                                 .memory = zstd_memory,
                                 .begin = zstd_begin,
                                 .feed = zstd_feed,
                                 .end = zstd_end,
                                 .done = zstd_done};
