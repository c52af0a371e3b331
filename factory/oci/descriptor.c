/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

#include "base/list.h"

const char *const layer_compression_names[] = {[LAYER_ZSTD] = "zstd", [LAYER_GZIP] = "gzip", NULL};

const char *layer_media_type(enum layer_compression compression)
{
    static const char *const types[] = {[LAYER_ZSTD] = OCI_MEDIA_LAYER "+zstd", [LAYER_GZIP] = OCI_MEDIA_LAYER "+gzip"};
    return types[compression];
}

bool layer_compression_parse(const char *name, enum layer_compression *ret_compression)
{
    for (size_t i = 0; layer_compression_names[i]; i++) {
        if (strcmp(name, layer_compression_names[i]) == 0) {
            *ret_compression = (enum layer_compression)i;
            return true;
        }
    }
    return false;
}
