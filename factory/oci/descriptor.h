/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.h - a layer as image documents tell of it
 *
 * Media types: OCI image-spec layer.md.
 * Threads: no state.
 */
#ifndef IMGFACTORY_OCI_DESCRIPTOR_H
#define IMGFACTORY_OCI_DESCRIPTOR_H

#include "base/digest.h"
#include "plan/packing.h"

#define OCI_MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar" /* "+zstd" or "+gzip" follows */

/* What a descriptor says of a zstd:chunked layer: manifest-checksum, manifest-position, tarsplit-position. */
#define OCI_CHUNKED_ANNOTATION(name) "io.github.containers.zstd-chunked." name
#define OCI_OLD_CHUNKED_ANNOTATION(name) "io.containers.zstd-chunked." name

enum layer_compression { LAYER_ZSTD, LAYER_GZIP, LAYER_CHUNKED };

/* Where a zstd:chunked layer has its table of contents and its tar-split (layer/chunked.h): bytes within the blob. */
struct layer_toc {
    struct digest digest; /* of the compressed table; zeros: the layer has none */
    uint64_t offset, packed_bytes, plain_bytes;
    uint64_t split_offset, split_packed_bytes, split_plain_bytes; /* zeros: it has none, as those of older writers */
    bool is_malformed; /* somebody's descriptor says that there is one, in a way that is none */
};

struct layer {
    enum layer_compression compression;
    struct digest digest, diff_id; /* of the blob; of the tar */
    uint64_t size_bytes, tar_bytes;
    struct layer_toc toc;
};

/* The layers of one image, the lowest first. */
struct layers {
    struct layer *items;
    size_t count, capacity;
};

/* Who compresses: of the library that this process has loaded, its version ("libzstd 1.5.4 level 6") and the SHA-256 of
 * its code. libdeflate tells no version at run time: there it is that of the headers which the program was compiled
 * with, and an update below it shows in the code only. */
struct layer_encoder {
    char name[96];
    struct digest code;
};

/* Returns "application/vnd.oci.image.layer.v1.tar+zstd" or "+gzip". */
const char *layer_media_type(enum layer_compression compression);
#define LAYER_COMPRESSIONS_MAX 2

/* Lists the compressions that are asked for, in the order in which an index has them; returns how many. */
size_t layer_compressions(enum packing packing, enum layer_compression ret_compressions[LAYER_COMPRESSIONS_MAX]);

#endif
