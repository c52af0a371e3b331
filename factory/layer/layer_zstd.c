/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/cuts.h"
#include "layer/layer_codec.h"

#include <zstd.h>

/* Frames for each file cost bytes: at this level fewer come of it than of one frame at level 3 (README.md has figures). */
#define LEVEL 6
#define FILE_LEAST_BYTES ((uint64_t)16 << 10)
#define SHARED_MOST_BYTES ((size_t)1 << 20)

static bool check(size_t code, struct err *err)
{
    if (!ZSTD_isError(code))
        return true;
    err_set(err, ERR_INTERNAL, "zstd refuses to compress a layer: %s", ZSTD_getErrorName(code));
    return false;
}

static void zstd_done(void *state)
{
    (void)ZSTD_freeCCtx(state);
}

static void *zstd_begin(struct err *err)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (!context)
        memory_abort(0);
    if (check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL), err))
        return context;
    zstd_done(context);
    return NULL;
}

static bool zstd_pack(void *state, struct text plain, struct buf *out, struct err *err)
{
    size_t bound = ZSTD_compressBound(plain.len);
    out->len = 0;
    if (!buf_reserve(out, bound))
        memory_abort(bound);
    size_t len = ZSTD_compress2(state, out->bytes, bound, plain.ptr, plain.len);
    if (!check(len, err))
        return false;
    out->len = len;
    return true;
}

/* Both have the same frames of a file, which are kept once: so these are cut as zstd:chunked wants it. */
#define ZSTD                                                                                                           \
    .library = "libzstd", .symbol = "ZSTD_compress2", .version = ZSTD_versionString, .level = LEVEL, .cut = cuts_next, \
    .begin = zstd_begin, .pack = zstd_pack, .done = zstd_done

const struct codec codec_zstd = {ZSTD, .file_least_bytes = FILE_LEAST_BYTES, .shared_most_bytes = SHARED_MOST_BYTES};
const struct codec codec_chunked = {ZSTD, .has_sums = true, .shared_most_bytes = SIZE_MAX};
