/* SPDX-License-Identifier: Apache-2.0 */
/* A tag of a layout is not moved to an image that serves fewer platforms: what is built for one architecture would
 * silently take the place of what was built for all. */
#include "oci/layout.h"
#include "oci/layout_parts.h"

/* Adds the platforms of the image behind a descriptor of index.json, as far as they can be read. */
static void add_platforms(const struct layout *layout, struct arena *arena, const json_t *descriptor,
                          struct platforms *platforms)
{
    struct layout_blob blob;
    struct err ignored = {0};
    struct digest config;
    struct text bytes;
    const json_t *platform = json_object_get(descriptor, "platform");
    const char *os = json_string_value(json_object_get(platform, "os"));
    const char *architecture = json_string_value(json_object_get(platform, "architecture"));
    if (os && architecture) {
        const char *variant = json_string_value(json_object_get(platform, "variant"));
        platforms_add(arena, platforms, arena_strdup(arena, os), arena_strdup(arena, architecture),
                      arena_strdup(arena, variant));
        return;
    }
    if (layout_descriptor_read(arena, descriptor, LAYOUT_DOCUMENT_MAX_BYTES, &blob, &ignored) &&
        layout_read_document(layout, arena, &blob.digest, &bytes) &&
        platforms_read(arena, bytes, platforms, &config) == PLATFORMS_IN_CONFIG &&
        layout_read_document(layout, arena, &config, &bytes))
        platforms_add_config(arena, bytes, platforms);
}

/* Returns whether a descriptor is of that very document. */
static bool is_root(const json_t *descriptor, const struct layout_blob *root)
{
    const char *name = json_string_value(json_object_get(descriptor, "digest"));
    struct digest digest;
    return name && strncmp(name, "sha256:", 7) == 0 && digest_parse(text_of(name + 7), &digest) &&
           digest_eq(&digest, &root->digest);
}

bool layout_check_platforms(const struct layout *layout, const json_t *index, const struct layout_blob *root,
                            const struct layout_request *request, const struct platforms *after, struct err *err)
{
    struct strings losers = {0};
    struct arena *arena = request->arena;
    const struct strings *tags = request->tags;
    for (size_t i = 0; i < tags->count; i++) {
        struct platforms before = {0};
        const json_t *item;
        size_t j;
        json_array_foreach(json_object_get(index, "manifests"), j, item)
        {
            const char *tag = layout_index_tag(item);
            if (tag && strcmp(tag, tags->items[i]) == 0 && !is_root(item, root))
                add_platforms(layout, arena, item, &before);
        }
        if (platforms_lose(arena, &before, after, request->ret_loss))
            list_add(arena, &losers, tags->items[i]);
    }
    if (losers.count)
        err_set(err, ERR_USAGE, "%s: %s would be without %s, which it has", layout->path,
                strings_join(arena, &losers, ", "), platforms_print(arena, &request->ret_loss->lost));
    return !losers.count;
}
