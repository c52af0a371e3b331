/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/chunked.h"

#include "base/auto.h"
#include "layer/crc64.h"
#include "layer/cuts.h"
#include "layer/frames.h"
#include "layer/layer_codec.h"
#include "layer/tar.h"
#include "layer/toc.h"

#include <endian.h>
#include <stdlib.h>
#include <zstd.h>

/* Frames for each file cost bytes: at this level nearly as many come of it as of one frame at level 3 (README.md has
 * figures). */
#define LEVEL 6
/* RFC 8878 section 3.1.2: magic number and length of a skippable frame. */
#define SKIPPABLE_MAGIC 0x184D2A50u
#define SKIPPABLE_HEADER_BYTES 8
#define TOC_TYPE 1
#define FOOTER_MAGIC "GNUlInUx"
/* A file whose frames are there already is read in pieces that stay in the processor's cache between two hashes. */
#define PIECE_BYTES ((size_t)256 << 10)
/* Frames are kept where the disk has room for this many times the layer's plain bytes: on a disk that is nearly full the layer
 * itself comes first. */
#define ROOM_FACTOR 4

struct chunked {
    struct blob *blob;
    ZSTD_CCtx *context;
    struct buf out;  /* one frame */
    struct buf meta; /* what is between two files' bytes, so far */
    size_t told;     /* of it, what tar-split has */
    struct toc toc;
    struct digest_stream diff;
    uint64_t tar_bytes;
    struct crc64_table crcs;
    struct cuts_table cuts;
    struct tar_member member; /* the last one, whose bytes come now */
    LIST(struct toc_chunk) chunks;
    struct layer_encoder encoder;
    struct frames_draft draft; /* of the file whose bytes come now, where frames are kept */
    bool is_keeping;           /* the cache takes frames */
    struct arena arena;
};

static void chunked_done(struct chunked *chunked)
{
    (void)ZSTD_freeCCtx(chunked->context);
    buf_done(&chunked->out);
    buf_done(&chunked->meta);
    toc_done(&chunked->toc);
    digest_abandon(&chunked->diff);
    frames_abandon(&chunked->draft);
    arena_done(&chunked->arena);
}

static bool chunked_begin(struct chunked *chunked, struct err *err)
{
    chunked->context = ZSTD_createCCtx();
    if (!chunked->context)
        memory_abort(0);
    buf_init(&chunked->out, SIZE_MAX);
    buf_init(&chunked->meta, SIZE_MAX);
    toc_begin(&chunked->toc);
    digest_begin(&chunked->diff);
    crc64_init(&chunked->crcs);
    cuts_init(&chunked->cuts);
    chunked->encoder = codec_encoder(&codec_chunked);
    if (!ZSTD_isError(ZSTD_CCtx_setParameter(chunked->context, ZSTD_c_compressionLevel, LEVEL)))
        return true;
    err_set(err, ERR_INTERNAL, "zstd has no level %d", LEVEL);
    return false;
}

/* Compresses some bytes into a frame, which is in `out` then. */
static bool compress(struct chunked *chunked, struct text plain, struct err *err)
{
    size_t bound = ZSTD_compressBound(plain.len);
    chunked->out.len = 0;
    if (!buf_reserve(&chunked->out, bound))
        memory_abort(bound);
    size_t len = ZSTD_compress2(chunked->context, chunked->out.bytes, bound, plain.ptr, plain.len);
    if (ZSTD_isError(len)) {
        err_set(err, ERR_INTERNAL, "zstd refuses to compress a layer: %s", ZSTD_getErrorName(len));
        return false;
    }
    chunked->out.len = len;
    return true;
}

static bool put_frame(struct chunked *chunked, struct text plain, struct err *err)
{
    return compress(chunked, plain, err) && blob_write(chunked->blob, chunked->out.bytes, chunked->out.len, err);
}

/* Takes bytes of the tar itself. */
static bool take(void *sink, const void *bytes, size_t len, struct err *err)
{
    struct chunked *chunked = sink;
    (void)err;
    digest_feed(&chunked->diff, bytes, len);
    chunked->tar_bytes += len;
    if (!buf_add(&chunked->meta, bytes, len))
        memory_abort(len);
    return true;
}

/* Tells tar-split of the bytes that it was not told of. */
static void tell(struct chunked *chunked)
{
    const struct buf *meta = &chunked->meta;
    toc_add_raw(&chunked->toc, (struct text){meta->bytes + chunked->told, meta->len - chunked->told});
    chunked->told = meta->len;
}

/* A member's header is complete. */
static bool take_member(void *sink, const struct tar_member *member, struct err *err)
{
    struct chunked *chunked = sink;
    (void)err;
    tell(chunked);
    chunked->member = *member;
    if (!member->size_bytes)
        toc_add_member(&chunked->toc, member, NULL);
    return true;
}

static bool end_meta(struct chunked *chunked, struct err *err)
{
    bool is_put = put_frame(chunked, buf_text(&chunked->meta), err);
    chunked->meta.len = chunked->told = 0;
    return is_put;
}

/* Writes one chunk, and notes where it is. */
static bool put_chunk(struct chunked *chunked, struct text plain, uint64_t file_offset, bool is_only, struct err *err)
{
    struct toc_chunk chunk = {.begin = chunked->blob->len, .file_offset = file_offset, .bytes = plain.len};
    if (!is_only)
        chunk.digest = digest_of(plain.ptr, plain.len);
    digest_feed(&chunked->diff, plain.ptr, plain.len);
    if (!put_frame(chunked, plain, err))
        return false;
    chunk.end = chunked->blob->len;
    list_add(&chunked->arena, &chunked->chunks, chunk);
    const struct frame frame = {chunk.digest, chunk.end - chunk.begin, plain.len};
    frames_add(&chunked->draft, &frame, chunked->out.bytes);
    return true;
}

/* Compresses a file's bytes. */
static bool make_frames(struct chunked *chunked, const struct node *node, struct toc_content *content, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream hash = {0};
    struct text left = {node->data, node->size_bytes};
    digest_begin(&hash);
    while (left.len) {
        struct text plain = {left.ptr, cuts_next(&chunked->cuts, left, node->size_bytes)};
        content->crc64 = crc64_add(&chunked->crcs, content->crc64, plain.ptr, plain.len);
        digest_feed(&hash, plain.ptr, plain.len);
        if (!put_chunk(chunked, plain, node->size_bytes - left.len, plain.len == node->size_bytes, err))
            return false;
        left = (struct text){left.ptr + plain.len, left.len - plain.len};
    }
    content->digest = digest_end(&hash);
    return true;
}

/* Makes the frames of a file, and keeps them unless its bytes are not those that the node tells of. */
static bool make_kept_frames(struct chunked *chunked, const struct node *node, const struct digest *key,
                             struct toc_content *content, struct err *err)
{
    chunked->is_keeping = frames_begin(chunked->blob->store, &chunked->draft);
    bool is_made = make_frames(chunked, node, content, err);
    if (is_made && digest_eq(node->digest, &content->digest))
        chunked->is_keeping = frames_keep(&chunked->draft, key, content->crc64);
    frames_abandon(&chunked->draft);
    return is_made;
}

/* Takes over the frames of a file that were made before. */
static bool copy_frames(struct chunked *chunked, const struct node *node, const struct frames *frames,
                        struct toc_content *content, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream hash = {0};
    uint64_t begin = chunked->blob->len, file_offset = 0;
    digest_begin(&hash);
    for (uint64_t at = 0; at < node->size_bytes;) {
        uint64_t left = node->size_bytes - at;
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        digest_feed(&hash, node->data + at, len);
        digest_feed(&chunked->diff, node->data + at, len);
        at += len;
    }
    content->digest = digest_end(&hash);
    content->crc64 = frames->crc64;
    for (size_t i = 0; i < frames->count; i++) {
        struct frame frame = frames_at(frames, i);
        struct toc_chunk chunk = {frame.digest, begin, begin + frame.packed_bytes, file_offset, frame.plain_bytes};
        list_add(&chunked->arena, &chunked->chunks, chunk);
        begin = chunk.end;
        file_offset += chunk.bytes;
    }
    return blob_write(chunked->blob, frames->view.ptr, frames->packed_bytes, err);
}

static bool put_content(struct chunked *chunked, const struct node *node, struct toc_content *content, struct err *err)
{
    AUTO(frames_done) struct frames frames = {0};
    if (!node->digest || node->size_bytes < FRAMES_LEAST_BYTES)
        return make_frames(chunked, node, content, err);
    struct digest key = frames_key(&chunked->encoder, node->digest);
    if (frames_find(chunked->blob->store, &key, node->size_bytes, &frames))
        return copy_frames(chunked, node, &frames, content, err);
    return chunked->is_keeping ? make_kept_frames(chunked, node, &key, content, err)
                               : make_frames(chunked, node, content, err);
}

/* Takes the bytes of the file whose header came last. */
static bool take_file(void *sink, const struct node *node, struct digest *ret_digest, struct err *err)
{
    struct chunked *chunked = sink;
    struct toc_content content = {0};
    chunked->chunks.count = 0;
    if (!end_meta(chunked, err) || !put_content(chunked, node, &content, err))
        return false;
    chunked->tar_bytes += node->size_bytes;
    *ret_digest = content.digest;
    content.chunks = chunked->chunks.items;
    content.chunk_count = chunked->chunks.count;
    toc_add_member(&chunked->toc, &chunked->member, &content);
    return true;
}

static void set_number(unsigned char *to, size_t at, uint64_t value)
{
    uint64_t word = htole64(value);
    memcpy(to + at * sizeof word, &word, sizeof word);
}

/* Writes bytes that a decoder passes over; *ret_offset is where they begin. */
static bool put_skippable(struct chunked *chunked, struct text bytes, uint64_t *ret_offset, struct err *err)
{
    uint32_t header[2] = {htole32(SKIPPABLE_MAGIC), htole32((uint32_t)bytes.len)};
    if (bytes.len > UINT32_MAX) {
        err_set(err, ERR_INTERNAL, "the table of contents of a layer has more than 4 GiB");
        return false;
    }
    *ret_offset = chunked->blob->len + SKIPPABLE_HEADER_BYTES;
    return blob_write(chunked->blob, header, sizeof header, err) &&
           blob_write(chunked->blob, bytes.ptr, bytes.len, err);
}

static bool put_footer(struct chunked *chunked, const struct layer_toc *toc, struct err *err)
{
    unsigned char footer[64];
    uint64_t offset;
    set_number(footer, 0, toc->offset);
    set_number(footer, 1, toc->packed_bytes);
    set_number(footer, 2, toc->plain_bytes);
    set_number(footer, 3, TOC_TYPE);
    set_number(footer, 4, toc->split_offset);
    set_number(footer, 5, toc->split_packed_bytes);
    set_number(footer, 6, toc->split_plain_bytes);
    memcpy(footer + 56, FOOTER_MAGIC, 8);
    return put_skippable(chunked, (struct text){(const char *)footer, sizeof footer}, &offset, err);
}

/* Writes the table, which has the digest of what follows it: so tar-split is compressed first. */
static bool put_toc(struct chunked *chunked, struct layer_toc *ret_toc, struct err *err)
{
    AUTO(buf_done) struct buf split = {0};
    struct layer_toc toc = {.split_plain_bytes = chunked->toc.split.len};
    if (!compress(chunked, buf_text(&chunked->toc.split), err))
        return false;
    split = chunked->out;
    buf_init(&chunked->out, SIZE_MAX);
    toc.split_packed_bytes = split.len;
    struct digest split_digest = digest_of(split.bytes, split.len);
    toc_end(&chunked->toc, &split_digest);
    toc.plain_bytes = chunked->toc.entries.len;
    if (!compress(chunked, buf_text(&chunked->toc.entries), err))
        return false;
    toc.packed_bytes = chunked->out.len;
    toc.digest = digest_of(chunked->out.bytes, chunked->out.len);
    if (!put_skippable(chunked, buf_text(&chunked->out), &toc.offset, err) ||
        !put_skippable(chunked, buf_text(&split), &toc.split_offset, err) || !put_footer(chunked, &toc, err))
        return false;
    *ret_toc = toc;
    return true;
}

bool chunked_write(struct blob *blob, const struct tree *tree, struct layer *layer, struct err *err)
{
    AUTO(chunked_done) struct chunked chunked = {.blob = blob};
    const struct tar_receiver receiver = {take, take_member, take_file, &chunked};
    uint64_t plain_bytes;
    if (!tar_size(tree, &plain_bytes, err) || !chunked_begin(&chunked, err))
        return false;
    chunked.is_keeping = store_has_room(blob->store, ROOM_FACTOR * plain_bytes);
    if (!tar_write_members(tree, &receiver, err))
        return false;
    tell(&chunked);
    if (!end_meta(&chunked, err) || (!chunked.toc.is_impossible && !put_toc(&chunked, &layer->toc, err)))
        return false;
    layer->tar_bytes = chunked.tar_bytes;
    layer->diff_id = digest_end(&chunked.diff);
    return true;
}

/* Tables and buffers of this level, a chunk and its frame, and a table of contents of 40,000 entries. */
static uint64_t chunked_memory(uint64_t plain_bytes)
{
    (void)plain_bytes;
    return (uint64_t)32 << 20;
}

const struct codec codec_chunked = {.library = "libzstd",
                                    .symbol = "ZSTD_compress2",
                                    .version = ZSTD_versionString,
                                    .level = LEVEL,
                                    .memory = chunked_memory};
