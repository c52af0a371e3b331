/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/cargo_bring.h"
#include "registry/registry_parts.h"

static bool list(void *context, struct arena *arena, const struct digest *subject, struct digest **ret_digests,
                 size_t *ret_count, struct err *err)
{
    struct registry_referrer_list referrers;
    if (!registry_read_referrers(context, arena, subject, &referrers, err))
        return false;
    *ret_digests = arena_new_array(arena, struct digest, referrers.items.count + 1);
    *ret_count = referrers.items.count;
    for (size_t i = 0; i < referrers.items.count; i++)
        (*ret_digests)[i] = referrers.items.items[i].digest;
    return true;
}

static bool get(void *context, struct arena *arena, const struct digest *digest, const char *tag,
                struct cargo_document *ret_document, struct err *err)
{
    struct registry_manifest manifest;
    const char *name = digest ? arena_strdup(arena, registry_digest_name(digest).chars) : tag;
    if (!registry_get_manifest(context, arena, name, &manifest, err))
        return false;
    *ret_document = (struct cargo_document){.is_found = manifest.is_found};
    if (!manifest.is_found)
        return true;
    ret_document->blob = (struct layout_blob){manifest.digest, manifest.size_bytes, manifest.media_type};
    ret_document->bytes = (struct text){manifest.bytes, (size_t)manifest.size_bytes};
    return true;
}

bool cargo_gather_registry(struct registry *registry, const char *name, struct log *log,
                           const struct layout_image *image, struct cargo *ret_cargo, struct err *err)
{
    struct cargo_source source = {list, get, registry, log, name};
    return cargo_gather(&source, image, ret_cargo, err);
}
