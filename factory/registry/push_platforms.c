/* SPDX-License-Identifier: Apache-2.0 */
/* A tag that serves several platforms is not moved to an image that serves fewer: who built for one machine would take
 * the image away from all others. Asked only of tags that move, and from what was fetched anyway; the config of a
 * single manifest costs one request more. */
#include "registry/push_parts.h"

#include "base/auto.h"

/* What the tag serves now. A config that is gone serves nobody. */
static bool find_before(struct push_work *push, struct push_note *note, struct platforms *ret_before, struct err *err)
{
    struct digest config;
    struct text bytes;
    bool is_found;
    enum platforms_found found = platforms_read(push->arena, note->bytes, ret_before, &config);
    if (found != PLATFORMS_IN_CONFIG || note->platform)
        return true; /* a tag of one platform was at one platform: which, its name says */
    if (!registry_get_document(push->registry, push->arena, &config, &is_found, &bytes, err))
        return false;
    if (is_found)
        platforms_add_config(push->arena, bytes, ret_before);
    return true;
}

static struct platforms after_of(struct push_work *push, const struct push_note *note, const struct platforms *root)
{
    const struct layout_image *image = push->request->image;
    struct platforms after = {0};
    if (!note->platform)
        return *root;
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (digest_eq(&manifest->blob.digest, &note->platform->digest))
            platforms_add(push->arena, &after, manifest->os, manifest->architecture, manifest->variant);
    }
    return after;
}

bool push_check_platforms(struct push_work *push, const struct platforms *after, struct err *err)
{
    struct platforms_loss *loss = &push->result->loss;
    struct strings losers = {0};
    for (size_t i = 0; i < push->result->tags.count && !push->request->policy.may_lose_platforms; i++) {
        struct push_note *note = &push->notes[i];
        struct platforms before = {0}, own = after_of(push, note, after);
        if (!note->bytes.len || note->tag->is_kept)
            continue;
        if (!find_before(push, note, &before, err))
            return false;
        if (platforms_lose(push->arena, &before, &own, loss))
            list_add(push->arena, &losers, note->tag->name);
    }
    if (losers.count)
        err_set(err, ERR_USAGE, "%s: %s would be without %s, which it has", push->registry->name,
                strings_join(push->arena, &losers, ", "), platforms_print(push->arena, &loss->lost));
    return !losers.count;
}
