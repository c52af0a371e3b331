/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/packer.h"

#include "base/auto.h"
#include "layer/tar.h"

/* A file whose frames are there already is read in pieces that stay in the processor's cache between two hashes. */
#define PIECE_BYTES ((size_t)256 << 10)
/* Frames are kept where the disk has room for this many times the layer's plain bytes: on a disk that is nearly full the layer
 * itself comes first. */
#define ROOM_FACTOR 4

void packer_done(struct packer *packer)
{
    if (packer->codec)
        packer->codec->done(packer->state);
    buf_done(&packer->out);
    buf_done(&packer->shared);
    digest_abandon(&packer->diff);
    frames_abandon(&packer->draft);
    arena_done(&packer->arena);
}

bool packer_begin(struct packer *packer, const struct codec *codec, struct blob *blob, uint64_t plain_bytes,
                  struct err *err)
{
    packer->codec = codec;
    packer->blob = blob;
    buf_init(&packer->out, SIZE_MAX);
    buf_init(&packer->shared, SIZE_MAX);
    digest_begin(&packer->diff);
    crc64_init(&packer->crcs);
    cuts_init(&packer->cuts);
    packer->encoder = codec_encoder(codec);
    packer->is_keeping = store_has_room(blob->store, ROOM_FACTOR * plain_bytes);
    packer->state = codec->begin(err);
    return packer->state;
}

/* Compresses some bytes, and writes what becomes of them. */
static bool put(struct packer *packer, struct text plain, struct err *err)
{
    return packer->codec->pack(packer->state, plain, &packer->out, err) &&
           blob_write(packer->blob, packer->out.bytes, packer->out.len, err);
}

static bool put_shared(struct packer *packer, struct err *err)
{
    bool is_put = !packer->shared.len || put(packer, buf_text(&packer->shared), err);
    packer->shared.len = 0;
    return is_put;
}

bool packer_take(struct packer *packer, const void *bytes, size_t len, struct err *err)
{
    const char *at = bytes;
    digest_feed(&packer->diff, bytes, len);
    packer->tar_bytes += len;
    while (len) {
        size_t room = packer->codec->shared_most_bytes - packer->shared.len, part = len < room ? len : room;
        if (!buf_add(&packer->shared, at, part))
            memory_abort(part);
        at += part;
        len -= part;
        if (part == room && !put_shared(packer, err))
            return false;
    }
    return true;
}

/* Adds up what a table of contents has of a piece. */
static void add_sums(struct packer *packer, struct text plain, bool is_only, struct frame *frame)
{
    packer->file.crc64 = crc64_add(&packer->crcs, packer->file.crc64, plain.ptr, plain.len);
    if (!is_only)
        frame->digest = digest_of(plain.ptr, plain.len);
}

/* Begins a file; returns whether its bytes are to be hashed: not those of a package's file that were found right when it was opened. */
static bool begin_file(struct packer *packer, const struct node *node, struct digest_stream *ret_hash)
{
    const struct digest *known = node->digest;
    if (known && tar_is_vouched(node)) {
        packer->file.digest = *known;
        return false;
    }
    digest_begin(ret_hash);
    return true;
}

/* Writes one piece of a file, and notes where it is. */
static bool put_piece(struct packer *packer, struct text plain, bool is_only, struct err *err)
{
    struct packed_piece piece = {.begin = packer->blob->len, .frame.plain_bytes = plain.len};
    if (packer->codec->has_sums)
        add_sums(packer, plain, is_only, &piece.frame);
    digest_feed(&packer->diff, plain.ptr, plain.len);
    if (!put(packer, plain, err))
        return false;
    piece.frame.packed_bytes = packer->out.len;
    list_add(&packer->arena, &packer->file.pieces, piece);
    frames_add(&packer->draft, &piece.frame, packer->out.bytes);
    return true;
}

/* Compresses a file's bytes. */
static bool make(struct packer *packer, const struct node *node, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream hash = {0};
    struct text left = {node->data, node->size_bytes};
    bool is_hashed = begin_file(packer, node, &hash);
    while (left.len) {
        struct text plain = {left.ptr, packer->codec->cut(&packer->cuts, left, node->size_bytes)};
        if (is_hashed)
            digest_feed(&hash, plain.ptr, plain.len);
        if (!put_piece(packer, plain, plain.len == node->size_bytes, err))
            return false;
        left = (struct text){left.ptr + plain.len, left.len - plain.len};
    }
    if (is_hashed)
        packer->file.digest = digest_end(&hash);
    return true;
}

/* Whether a file's bytes are, after all was done with them, those that the node tells of. */
static bool is_right(const struct packer *packer, const struct node *node)
{
    return digest_eq(node->digest, &packer->file.digest) &&
           (!tar_is_vouched(node) || package_is_unchanged(node->package));
}

/* Makes the frames of a file, and keeps them unless its bytes are not those that the node tells of. */
static bool make_kept(struct packer *packer, const struct node *node, const struct digest *key, struct err *err)
{
    packer->is_keeping = frames_begin(packer->blob->store, &packer->draft);
    bool is_made = make(packer, node, err);
    if (is_made && is_right(packer, node))
        packer->is_keeping = frames_keep(&packer->draft, key, packer->codec->has_sums, packer->file.crc64);
    frames_abandon(&packer->draft);
    return is_made;
}

/* Takes over the frames of a file that were made before. */
static bool copy(struct packer *packer, const struct node *node, const struct frames *frames, struct err *err)
{
    AUTO(digest_abandon) struct digest_stream hash = {0};
    uint64_t begin = packer->blob->len;
    bool is_hashed = begin_file(packer, node, &hash);
    for (uint64_t at = 0; at < node->size_bytes;) {
        uint64_t left = node->size_bytes - at;
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        if (is_hashed)
            digest_feed(&hash, node->data + at, len);
        digest_feed(&packer->diff, node->data + at, len);
        at += len;
    }
    if (is_hashed)
        packer->file.digest = digest_end(&hash);
    packer->file.crc64 = frames->crc64;
    const char *plain = node->data;
    for (size_t i = 0; i < frames->count; i++) {
        struct packed_piece piece = {frames_at(frames, i), begin};
        if (packer->codec->has_sums && !frames->has_sums)
            add_sums(packer, (struct text){plain, piece.frame.plain_bytes}, frames->count == 1, &piece.frame);
        list_add(&packer->arena, &packer->file.pieces, piece);
        begin += piece.frame.packed_bytes;
        plain += piece.frame.plain_bytes;
    }
    return blob_write(packer->blob, frames->view.ptr, frames->packed_bytes, err);
}

static bool put_file(struct packer *packer, const struct node *node, struct err *err)
{
    AUTO(frames_done) struct frames frames = {0};
    if (!node->digest || node->size_bytes < FRAMES_LEAST_BYTES)
        return make(packer, node, err);
    struct digest key = frames_key(&packer->encoder, node->digest);
    if (frames_find(packer->blob->store, &key, node->size_bytes, &frames))
        return copy(packer, node, &frames, err);
    return packer->is_keeping ? make_kept(packer, node, &key, err) : make(packer, node, err);
}

bool packer_take_file(struct packer *packer, const struct node *node, struct err *err)
{
    packer->file.pieces.count = 0;
    packer->file.crc64 = 0;
    packer->tar_bytes += node->size_bytes;
    return put_shared(packer, err) && put_file(packer, node, err);
}

bool packer_end(struct packer *packer, struct layer *layer, struct err *err)
{
    if (!put_shared(packer, err))
        return false;
    layer->tar_bytes = packer->tar_bytes;
    layer->diff_id = digest_end(&packer->diff);
    return true;
}
