/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer.h"

#include "base/auto.h"
#include "layer/chunked.h"
#include "layer/layer_codec.h"
#include "layer/packer.h"
#include "layer/tar.h"

#include <assert.h>

static const struct codec *const codecs[] = {
    [LAYER_ZSTD] = &codec_zstd, [LAYER_GZIP] = &codec_gzip, [LAYER_CHUNKED] = &codec_chunked};

struct layer_encoder layer_encoder(enum layer_compression compression)
{
    return codec_encoder(codecs[compression]);
}

static bool take(void *sink, const void *bytes, size_t len, struct err *err)
{
    return packer_take(sink, bytes, len, err);
}

static bool take_file(void *sink, const struct node *node, struct digest *ret_digest, struct err *err)
{
    struct packer *packer = sink;
    bool is_taken = packer_take_file(packer, node, err);
    *ret_digest = packer->file.digest;
    return is_taken;
}

/* Writes a tree as nothing but its pieces. */
static bool write_pieces(struct blob *blob, const struct tree *tree, uint64_t tar_bytes, struct layer *layer,
                         struct err *err)
{
    AUTO(packer_done) struct packer packer = {0};
    const struct codec *codec = codecs[layer->compression];
    const struct tar_receiver receiver = {
        .write = take, .file = take_file, .file_least_bytes = codec->file_least_bytes, .sink = &packer};
    return packer_begin(&packer, codec, blob, tar_bytes, err) && tar_write(tree, &receiver, err) &&
           packer_end(&packer, layer, err);
}

bool layer_build(struct store *store, const struct tree *tree, enum layer_compression compression,
                 struct layer *ret_layer, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct layer layer = {.compression = compression};
    uint64_t tar_bytes;
    if (!tar_size(tree, &tar_bytes, err) || !blob_begin(store, &blob, err) ||
        !(compression == LAYER_CHUNKED ? chunked_write : write_pieces)(&blob, tree, tar_bytes, &layer, err) ||
        !tar_check_files(tree, err))
        return false;
    assert(layer.tar_bytes == tar_bytes);
    layer.size_bytes = blob.len;
    if (!blob_commit(&blob, NULL, &layer.digest, err))
        return false;
    *ret_layer = layer;
    return true;
}
