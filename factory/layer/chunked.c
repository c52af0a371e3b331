/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/chunked.h"

#include "base/auto.h"
#include "layer/layer_codec.h"
#include "layer/packer.h"
#include "layer/tar.h"
#include "layer/toc.h"

struct chunked {
    struct packer packer;
    struct toc toc;
    size_t told;              /* of what is between two files' bytes: what tar-split has */
    struct tar_member member; /* the last one, whose bytes come now */
    LIST(struct toc_chunk) chunks;
};

static void chunked_done(struct chunked *chunked)
{
    packer_done(&chunked->packer);
    toc_done(&chunked->toc);
}

static bool take(void *sink, const void *bytes, size_t len, struct err *err)
{
    struct chunked *chunked = sink;
    return packer_take(&chunked->packer, bytes, len, err);
}

/* Tells tar-split of the bytes that it was not told of. */
static void tell(struct chunked *chunked)
{
    const struct buf *shared = &chunked->packer.shared;
    toc_add_raw(&chunked->toc, (struct text){shared->bytes + chunked->told, shared->len - chunked->told});
    chunked->told = shared->len;
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

/* Tells the table where a file's bytes are. */
static void list_chunks(struct chunked *chunked, const struct packed_file *file)
{
    uint64_t file_offset = 0;
    chunked->chunks.count = 0;
    for (size_t i = 0; i < file->pieces.count; i++) {
        const struct packed_piece *piece = &file->pieces.items[i];
        struct toc_chunk chunk = {piece->frame.digest, piece->begin, piece->begin + piece->frame.packed_bytes,
                                  file_offset, piece->frame.plain_bytes};
        list_add(&chunked->packer.arena, &chunked->chunks, chunk);
        file_offset += chunk.bytes;
    }
}

/* Takes the bytes of the file whose header came last. */
static bool take_file(void *sink, const struct node *node, struct digest *ret_digest, struct err *err)
{
    struct chunked *chunked = sink;
    const struct packed_file *file = &chunked->packer.file;
    chunked->told = 0;
    if (!packer_take_file(&chunked->packer, node, err))
        return false;
    list_chunks(chunked, file);
    *ret_digest = file->digest;
    const struct toc_content content = {file->digest, file->crc64, chunked->chunks.items, chunked->chunks.count};
    toc_add_member(&chunked->toc, &chunked->member, &content);
    return true;
}

/* Writes bytes that a decoder passes over; *ret_offset is where they begin. */
static bool put_skippable(struct chunked *chunked, struct text bytes, uint64_t *ret_offset, struct err *err)
{
    unsigned char header[TOC_SKIPPABLE_BYTES];
    if (bytes.len > UINT32_MAX) {
        err_set(err, ERR_INTERNAL, "the table of contents of a layer has more than 4 GiB");
        return false;
    }
    toc_skippable((uint32_t)bytes.len, header);
    *ret_offset = chunked->packer.blob->len + sizeof header;
    return blob_write(chunked->packer.blob, header, sizeof header, err) &&
           blob_write(chunked->packer.blob, bytes.ptr, bytes.len, err);
}

static bool put_footer(struct chunked *chunked, const struct layer_toc *toc, struct err *err)
{
    unsigned char footer[TOC_FOOTER_BYTES];
    uint64_t offset;
    toc_footer(toc, footer);
    return put_skippable(chunked, (struct text){(const char *)footer, sizeof footer}, &offset, err);
}

static bool compress(struct chunked *chunked, struct text plain, struct buf *out, struct err *err)
{
    return chunked->packer.codec->pack(chunked->packer.state, plain, out, err);
}

/* Writes the table, which has the digest of what follows it: so tar-split is compressed first. */
static bool put_toc(struct chunked *chunked, struct layer_toc *ret_toc, struct err *err)
{
    AUTO(buf_done) struct buf split = {0}, entries = {0};
    struct layer_toc toc = {.split_plain_bytes = chunked->toc.split.len};
    buf_init(&split, SIZE_MAX);
    buf_init(&entries, SIZE_MAX);
    if (!compress(chunked, buf_text(&chunked->toc.split), &split, err))
        return false;
    toc.split_packed_bytes = split.len;
    struct digest split_digest = digest_of(split.bytes, split.len);
    toc_end(&chunked->toc, &split_digest);
    toc.plain_bytes = chunked->toc.entries.len;
    if (!compress(chunked, buf_text(&chunked->toc.entries), &entries, err))
        return false;
    toc.packed_bytes = entries.len;
    toc.digest = digest_of(entries.bytes, entries.len);
    if (!put_skippable(chunked, buf_text(&entries), &toc.offset, err) ||
        !put_skippable(chunked, buf_text(&split), &toc.split_offset, err) || !put_footer(chunked, &toc, err))
        return false;
    *ret_toc = toc;
    return true;
}

bool chunked_write(struct blob *blob, const struct tree *tree, uint64_t tar_bytes, struct layer *layer, struct err *err)
{
    AUTO(chunked_done) struct chunked chunked = {0};
    const struct tar_receiver receiver = {take, take_member, take_file, codec_chunked.file_least_bytes, &chunked};
    toc_begin(&chunked.toc);
    if (!packer_begin(&chunked.packer, &codec_chunked, blob, tar_bytes, err) || !tar_write(tree, &receiver, err))
        return false;
    tell(&chunked);
    return packer_end(&chunked.packer, layer, err) &&
           (chunked.toc.is_impossible || put_toc(&chunked, &layer->toc, err));
}
