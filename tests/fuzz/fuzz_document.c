/* SPDX-License-Identifier: Apache-2.0 */
/* An image of any documents is read or refused: index, manifests and configurations, in parts with 0x01 between them. The
 * root is the last part; in each, 0x02 and a digit stand for the digest and the size of an earlier part, so that what is
 * mutated still holds together. */
#include "fuzz.h"

#include "oci/config_read.h"
#include "oci/layout_read.h"

#include <stdlib.h>

#define PARTS_MAX 10

struct parts {
    struct text items[PARTS_MAX];
    size_t count;
};

/* Puts the names of earlier parts into one. */
static struct text settle(struct arena *arena, const struct parts *parts, struct text raw)
{
    LIST(char) out = {0};
    for (size_t i = 0; i < raw.len; i++) {
        size_t which = i + 1 < raw.len ? (size_t)(raw.ptr[i + 1] - '0') : parts->count;
        if (raw.ptr[i] != '\2' || which >= parts->count) {
            list_add(arena, &out, raw.ptr[i]);
            continue;
        }
        struct digest digest = digest_of(parts->items[which].ptr, parts->items[which].len);
        const char *name = arena_printf(arena, "\"digest\":\"sha256:%s\",\"size\":%zu", digest_hex(&digest).chars,
                                        parts->items[which].len);
        for (; *name; name++)
            list_add(arena, &out, *name);
        i++;
    }
    return out.count ? (struct text){out.items, out.count} : TEXT("");
}

static bool get(void *context, const struct layout_blob *blob, struct text *ret_bytes, bool *ret_is_absent,
                struct err *err)
{
    const struct parts *parts = context;
    for (size_t i = 0; i < parts->count; i++) {
        struct digest digest = digest_of(parts->items[i].ptr, parts->items[i].len);
        if (!digest_eq(&digest, &blob->digest))
            continue;
        *ret_bytes = parts->items[i];
        return true;
    }
    *ret_is_absent = true;
    err_set(err, ERR_LOCAL, "it is not there");
    return false;
}

static void check(const struct layout_image *image)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (manifest->unread == LAYOUT_READ && (!manifest->bytes.ptr || !manifest->blob.media_type))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const types[] = {"application/vnd.oci.image.index.v1+json",
                                        "application/vnd.oci.image.manifest.v1+json"};
    AUTO(arena_done) struct arena arena = {0};
    struct parts parts = {0};
    struct text rest = {(const char *)bytes, len}, raw;
    while (parts.count < PARTS_MAX && rest.len && text_next(&rest, '\1', &raw)) {
        parts.items[parts.count] = settle(&arena, &parts, raw);
        parts.count++;
    }
    for (size_t i = 0; i < parts.count; i++) {
        struct config_facts facts;
        config_read(&arena, parts.items[i], &facts);
    }
    for (size_t i = 0; parts.count && i < ARRAY_COUNT(types); i++) {
        struct text root = parts.items[parts.count - 1];
        struct layout_blob blob = {digest_of(root.ptr, root.len), root.len, types[i]};
        struct layout_source source = {.get = get, .context = &parts};
        struct layout_image image = {.blobs_fd = -1};
        struct err err = {0};
        if (layout_image_parse(&arena, &blob, root, &source, &image, &err))
            check(&image);
        else if (!err.kind)
            abort();
    }
    return 0;
}
