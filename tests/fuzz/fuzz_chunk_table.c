/* SPDX-License-Identifier: Apache-2.0 */
/* A zstd:chunked layer of any table of contents, tar-split and tar is held or refused. Parts are divided by DIVIDER: the
 * table, tar-split, and pieces of the tar, each a frame of its own; digests and places of the first two are right. */
#include "fuzz.h"

#include "layer/chunk_check.h"

#include <stdlib.h>
#include <zstd.h>

#define DIVIDER "\n--\n"
#define LEVEL 3
#define PLAIN_MAX_BYTES ((uint64_t)64 << 20)

static struct text next_part(struct text *left)
{
    const char *found = left->len ? memmem(left->ptr, left->len, DIVIDER, strlen(DIVIDER)) : NULL;
    struct text part = *left;
    *left = TEXT("");
    if (!found)
        return part;
    size_t used = (size_t)(found - part.ptr) + strlen(DIVIDER);
    *left = (struct text){part.ptr + used, part.len - used};
    part.len = (size_t)(found - part.ptr);
    return part;
}

/* Adds a frame; returns how many bytes it has. */
static size_t add_frame(struct buf *layer, struct text plain)
{
    size_t bound = ZSTD_compressBound(plain.len);
    if (!buf_reserve(layer, bound))
        abort();
    size_t len = ZSTD_compress(layer->bytes + layer->len, bound, plain.ptr, plain.len, LEVEL);
    if (ZSTD_isError(len))
        abort();
    layer->len += len;
    return len;
}

/* Adds a frame that decoders pass over; returns where what is in it begins. */
static uint64_t add_part(struct buf *layer, struct text plain, uint64_t *ret_len)
{
    static const uint32_t magic = 0x184D2A50;
    uint64_t header = layer->len, begin = header + 8;
    uint32_t len = 0;
    if (!buf_add(layer, &magic, sizeof magic) || !buf_add(layer, &len, sizeof len))
        abort();
    *ret_len = add_frame(layer, plain);
    len = (uint32_t)*ret_len;
    memcpy(layer->bytes + header + sizeof magic, &len, sizeof len);
    return begin;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    AUTO(buf_done) struct buf layer;
    struct text left = {(const char *)bytes, len}, table = next_part(&left), split = next_part(&left);
    struct layer_toc toc = {.plain_bytes = table.len, .split_plain_bytes = split.len};
    uint64_t unpacked_left = PLAIN_MAX_BYTES;
    struct err err = {0};
    buf_init(&layer, SIZE_MAX);
    do
        (void)add_frame(&layer, next_part(&left));
    while (left.len);
    toc.offset = add_part(&layer, table, &toc.packed_bytes);
    if (split.len)
        toc.split_offset = add_part(&layer, split, &toc.split_packed_bytes);
    toc.digest = digest_of(layer.bytes + toc.offset, toc.packed_bytes);
    const struct chunk_check check = {&toc, buf_text(&layer), "layer", &unpacked_left};
    if (chunk_check(&check, &err) == (err.kind != ERR_NONE) ||
        (err.kind && err.kind != ERR_TRUST && err.kind != ERR_MALFORMED))
        abort();
    return 0;
}
