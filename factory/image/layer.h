/* layer.h - a tree as one compressed layer blob: tar, diff ID, compression, digest in one pass
 *
 * Media types and annotations: OCI image-spec layer.md. zstd: level 3, one thread, with content size and checksum, so
 * that the bytes do not depend on the machine. gzip: libdeflate level 5, header without name and time (OS 255); more
 * than 64 MiB of tar become several members. What the bytes depend on besides the tar is the library: see struct
 * layer_encoder.
 * Threads: any worker.
 * Fails with: what tar_write() and the store fail with.
 */
#ifndef IMGFACTORY_IMAGE_LAYER_H
#define IMGFACTORY_IMAGE_LAYER_H

#include "content/tree.h"

enum layer_compression { LAYER_ZSTD, LAYER_GZIP };

struct layer {
    enum layer_compression compression;
    struct digest digest, diff_id; /* of the blob; of the tar */
    uint64_t size_bytes, tar_bytes;
};

/* Who compresses: of the library that this process has loaded, its version ("libzstd 1.5.4 level 3") and the SHA-256 of
 * its code. libdeflate tells no version at run time: there it is that of the headers which the program was compiled
 * with, and an update below it shows in the code only. */
struct layer_encoder {
    char name[96];
    struct digest code;
};

/* Writes the layer into the store. Does an image's computing: run it on a worker. */
bool layer_build(struct store *store, const struct tree *tree, enum layer_compression compression,
                 struct layer *ret_layer, struct err *err) MUST_CHECK;
/* Looks at the library that is loaded; takes less than a millisecond. */
struct layer_encoder layer_encoder(enum layer_compression compression);
/* Returns "application/vnd.oci.image.layer.v1.tar+zstd" or "+gzip". */
const char *layer_media_type(enum layer_compression compression);
/* Parses "zstd" or "gzip"; false when it is neither. */
bool layer_compression_parse(const char *name, enum layer_compression *ret_compression);

#endif
