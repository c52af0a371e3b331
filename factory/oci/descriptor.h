/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor.h - a layer as image documents tell of it
 *
 * Media types: OCI image-spec layer.md.
 * Threads: no state.
 */
#ifndef IMGFACTORY_OCI_DESCRIPTOR_H
#define IMGFACTORY_OCI_DESCRIPTOR_H

#include "base/digest.h"

#define OCI_MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar" /* "+zstd" or "+gzip" follows */

enum layer_compression { LAYER_ZSTD, LAYER_GZIP };

struct layer {
    enum layer_compression compression;
    struct digest digest, diff_id; /* of the blob; of the tar */
    uint64_t size_bytes, tar_bytes;
};

/* The layers of one image, the lowest first. */
struct layers {
    struct layer *items;
    size_t count, capacity;
};

/* Who compresses: of the library that this process has loaded, its version ("libzstd 1.5.4 level 3") and the SHA-256 of
 * its code. libdeflate tells no version at run time: there it is that of the headers which the program was compiled
 * with, and an update below it shows in the code only. */
struct layer_encoder {
    char name[96];
    struct digest code;
};

/* "zstd", "gzip", in the order of the enum; NULL ends them. */
extern const char *const layer_compression_names[];

/* Returns "application/vnd.oci.image.layer.v1.tar+zstd" or "+gzip". */
const char *layer_media_type(enum layer_compression compression);
/* Parses "zstd" or "gzip"; false when it is neither. */
bool layer_compression_parse(const char *name, enum layer_compression *ret_compression);

#endif
