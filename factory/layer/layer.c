/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer.h"

#include "base/auto.h"
#include "layer/chunked.h"
#include "layer/layer_codec.h"
#include "layer/tar.h"

#include <assert.h>

static const struct codec *const codecs[] = {
    [LAYER_ZSTD] = &codec_zstd, [LAYER_GZIP] = &codec_gzip, [LAYER_CHUNKED] = &codec_chunked};

struct layer_encoder layer_encoder(enum layer_compression compression)
{
    return codec_encoder(codecs[compression]);
}

uint64_t layer_memory(enum layer_compression compression, uint64_t plain_bytes)
{
    return codecs[compression]->memory(plain_bytes);
}

/* The tar stream's sink. */
struct layer_writer {
    const struct codec *codec;
    struct compressor compressor;
    struct digest_stream diff;
    uint64_t tar_bytes;
};

static void layer_writer_done(struct layer_writer *writer)
{
    digest_abandon(&writer->diff);
    writer->codec->done(&writer->compressor);
}

static bool take(void *sink, const void *bytes, size_t len, struct err *err)
{
    struct layer_writer *writer = sink;
    digest_feed(&writer->diff, bytes, len);
    writer->tar_bytes += len;
    return writer->codec->feed(&writer->compressor, bytes, len, err);
}

/* Writes a tree as one stream of a codec. */
static bool write_stream(struct blob *blob, const struct tree *tree, struct layer *layer, struct err *err)
{
    AUTO(layer_writer_done)
    struct layer_writer writer = {.codec = codecs[layer->compression], .compressor.blob = blob};
    uint64_t expected_bytes;
    if (!tar_size(tree, &expected_bytes, err))
        return false;
    digest_begin(&writer.diff);
    if (!writer.codec->begin(&writer.compressor, expected_bytes, err) || !tar_write(tree, take, &writer, err) ||
        !writer.codec->end(&writer.compressor, err))
        return false;
    assert(writer.tar_bytes == expected_bytes);
    layer->tar_bytes = writer.tar_bytes;
    layer->diff_id = digest_end(&writer.diff);
    return true;
}

bool layer_build(struct store *store, const struct tree *tree, enum layer_compression compression,
                 struct layer *ret_layer, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct layer layer = {.compression = compression};
    if (!blob_begin(store, &blob, err) ||
        !(compression == LAYER_CHUNKED ? chunked_write : write_stream)(&blob, tree, &layer, err))
        return false;
    layer.size_bytes = blob.len;
    if (!blob_commit(&blob, NULL, &layer.digest, err))
        return false;
    *ret_layer = layer;
    return true;
}
