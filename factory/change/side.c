/* SPDX-License-Identifier: Apache-2.0 */
#include "change/side.h"

bool side_is_platform(const struct layout_manifest *manifest)
{
    return manifest->unread == LAYOUT_READ && !manifest->is_attestation;
}

static const char *platform_of(struct arena *arena, const struct layout_manifest *manifest)
{
    const char *os = manifest->os, *architecture = manifest->architecture, *variant = manifest->variant;
    if (!os && !architecture)
        return NULL;
    return arena_printf(arena, "%s/%s%s%s", os ? os : "unknown", architecture ? architecture : "unknown",
                        variant ? "/" : "", variant ? variant : "");
}

void side_of_manifest(struct arena *arena, struct store *store, const struct layout_image *image,
                      const struct layout_manifest *manifest, struct change_side *ret_side)
{
    struct bill *bill = arena_new(arena, struct bill);
    *ret_side = (struct change_side){.platform = platform_of(arena, manifest), .digest = manifest->blob.digest};
    if (layout_is_config(manifest->config.media_type))
        ret_side->config = manifest->config_bytes;
    for (size_t i = 0; i < manifest->layers.count; i++)
        ret_side->layer_bytes += manifest->layers.items[i].size_bytes;
    if ((image->dir && bill_read_beside(arena, image->dir, &manifest->blob.digest, bill)) ||
        (store && bill_read_kept(arena, store, &manifest->blob.digest, bill))) {
        ret_side->bill = bill;
        ret_side->unpacked_bytes = bill->unpacked_bytes;
    }
}
