#include "oci/descriptor.h"

#include "base/list.h"

static const struct {
    const char *name, *media_type;
} compressions[] = {[LAYER_ZSTD] = {"zstd", OCI_MEDIA_LAYER "+zstd"}, [LAYER_GZIP] = {"gzip", OCI_MEDIA_LAYER "+gzip"}};

const char *layer_media_type(enum layer_compression compression)
{
    return compressions[compression].media_type;
}

const char *layer_compression_name(enum layer_compression compression)
{
    return compressions[compression].name;
}

bool layer_compression_parse(const char *name, enum layer_compression *ret_compression)
{
    for (size_t i = 0; i < ARRAY_COUNT(compressions); i++) {
        if (strcmp(name, compressions[i].name) == 0) {
            *ret_compression = (enum layer_compression)i;
            return true;
        }
    }
    return false;
}
