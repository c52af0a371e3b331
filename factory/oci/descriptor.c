/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

const char *layer_media_type(enum layer_compression compression)
{
    static const char *const types[] = {[LAYER_ZSTD] = OCI_MEDIA_LAYER "+zstd",
                                        [LAYER_GZIP] = OCI_MEDIA_LAYER "+gzip",
                                        [LAYER_CHUNKED] = OCI_MEDIA_LAYER "+zstd"};
    return types[compression];
}

size_t layer_compressions(enum packing packing, enum layer_compression ret_compressions[LAYER_COMPRESSIONS_MAX])
{
    static const enum layer_compression first[] = {[PACKING_ZSTD] = LAYER_ZSTD,
                                                   [PACKING_GZIP] = LAYER_GZIP,
                                                   [PACKING_CHUNKED] = LAYER_CHUNKED,
                                                   [PACKING_BOTH] = LAYER_GZIP};
    ret_compressions[0] = first[packing];
    ret_compressions[1] = LAYER_CHUNKED;
    return packing == PACKING_BOTH ? 2 : 1;
}
