/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

const char *layer_media_type(enum layer_compression compression)
{
    static const char *const types[] = {[LAYER_ZSTD] = OCI_MEDIA_LAYER "+zstd",
                                        [LAYER_GZIP] = OCI_MEDIA_LAYER "+gzip",
                                        [LAYER_CHUNKED] = OCI_MEDIA_LAYER "+zstd"};
    return types[compression];
}

enum layer_compression layer_compression_of(enum packing packing)
{
    static const enum layer_compression compressions[] = {
        [PACKING_ZSTD] = LAYER_ZSTD, [PACKING_GZIP] = LAYER_GZIP, [PACKING_CHUNKED] = LAYER_CHUNKED};
    return compressions[packing];
}
