/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_zstd.h"

#include "base/auto.h"

#include <stdlib.h>
#include <zstd.h>

#define LEVEL 3

static void end_compression(ZSTD_CCtx **context)
{
    (void)ZSTD_freeCCtx(*context);
}

void past_zstd_pack(struct text plain, struct buf *ret_packed)
{
    AUTO(end_compression) ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(plain.len);
    buf_init(ret_packed, bound);
    if (!context || !buf_reserve(ret_packed, bound))
        memory_abort(bound);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, LEVEL);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t len = ZSTD_compress2(context, ret_packed->bytes, bound, plain.ptr, plain.len);
    if (ZSTD_isError(len)) /* it is within its bound: only memory can be missing */
        memory_abort(bound);
    ret_packed->len = len;
}

bool past_zstd_unpack(struct text packed, size_t most, char **ret_bytes, struct text *ret_plain)
{
    unsigned long long len = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (len == ZSTD_CONTENTSIZE_UNKNOWN || len == ZSTD_CONTENTSIZE_ERROR || len > most || !len)
        return false;
    char *bytes = malloc(len);
    if (!bytes)
        memory_abort(len);
    size_t got = ZSTD_decompress(bytes, len, packed.ptr, packed.len);
    if (ZSTD_isError(got) || got != len) {
        free(bytes);
        return false;
    }
    *ret_bytes = bytes;
    *ret_plain = (struct text){bytes, (size_t)len};
    return true;
}
