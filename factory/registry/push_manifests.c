/* SPDX-License-Identifier: Apache-2.0 */
/* Children by digest, then the index by digest, then all of them read back in one round: nothing has a tag yet, so that
 * nobody can see a part, and the check stands right before the first tag moves. */
#include "registry/push_parts.h"

#include "base/auto.h"

/* A document to put and to read back. */
struct putting_one {
    const struct layout_blob *blob;
    struct text bytes;
    bool is_missing; /* the registry lacks a part of it, or it itself */
    bool is_there;   /* it was seen */
};

static bool put_one(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct putting_one *putting = item;
    struct digest_name name = registry_digest_name(&putting->blob->digest);
    return registry_put_manifest(push->registry, name.chars, putting->blob->media_type, putting->bytes,
                                 &putting->is_missing, err);
}

/* Reads it back; its bytes must have the digest that it is asked for by. Some registries need a moment after they said
 * 201: looked for a few times before it counts as gone. */
static bool check_one(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct putting_one *putting = item;
    struct digest_name name = registry_digest_name(&putting->blob->digest);
    AUTO(arena_done) struct arena scratch = {0};
    struct retry retry = {0};
    struct registry_manifest manifest;
    for (;;) {
        if (!registry_get_manifest(push->registry, &scratch, name.chars, &manifest, err) || manifest.is_found)
            return err->kind == ERR_NONE;
        err_set(err, ERR_PUBLISH, "%s: manifest %s was accepted, but it is not there", push->registry->name,
                name.chars);
        if (retry.count >= 2 || !registry_back_off(push->registry, &retry, 0, err)) {
            putting->is_missing = err->kind == ERR_PUBLISH;
            return false;
        }
    }
}

static size_t add_children(const struct layout_image *image, bool are_indexes, struct putting_one *children,
                           size_t count)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        bool is_index = layout_is_index(manifest->blob.media_type);
        if (is_index == are_indexes && (is_index || !manifest->unread))
            children[count++] = (struct putting_one){.blob = &manifest->blob, .bytes = manifest->bytes};
    }
    return count;
}

/* The children, or nothing when the root is a single manifest: manifests, then nested indexes, each behind what it needs.
 * The root stands behind them. */
static struct each_items list_children(struct push_work *push)
{
    const struct layout_image *image = push->request->image;
    struct putting_one *children = arena_new_array(push->arena, struct putting_one, image->manifests.count + 1);
    size_t count = 0;
    if (image->is_index) {
        count = add_children(image, false, children, count);
        count = add_children(image, true, children, count);
    }
    children[count] = (struct putting_one){.blob = &image->root, .bytes = image->root_bytes};
    return push_items(children, count, sizeof *children, PUSH_SMALL_REQUESTS);
}

/* Puts the manifests side by side, then the indexes one after the other. */
static bool put_all(struct push_work *push, struct each_items items, struct err *err)
{
    struct putting_one *all = items.items;
    struct each_items manifests = items;
    manifests.count = 0;
    while (manifests.count < items.count && !layout_is_index(all[manifests.count].blob->media_type))
        manifests.count++;
    if (!each_run(manifests, put_one, push, err))
        return false;
    for (size_t i = manifests.count; i < items.count; i++) {
        if (!put_one(push, &all[i], err))
            return false;
    }
    return true;
}

static bool is_any_missing(struct each_items items)
{
    const struct putting_one *all = items.items;
    for (size_t i = 0; i < items.count; i++) {
        if (all[i].is_missing)
            return true;
    }
    return false;
}

bool push_manifests(struct push_work *push, bool *ret_is_missing, struct err *err)
{
    struct each_items children = list_children(push), all = children;
    struct putting_one *root = (struct putting_one *)children.items + children.count;
    all.count++;
    bool is_done = put_all(push, children, err) && put_one(push, root, err) && each_run(all, check_one, push, err);
    *ret_is_missing = !is_done && is_any_missing(all);
    return is_done;
}

/* Looks once. */
static bool look_for_one(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct putting_one *putting = item;
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest manifest;
    if (!registry_get_manifest(push->registry, &scratch, registry_digest_name(&putting->blob->digest).chars, &manifest,
                               err))
        return false;
    putting->is_there = manifest.is_found;
    return true;
}

/* Moves what is not there to the front, and returns it. */
static struct each_items take_absent(struct each_items items)
{
    struct putting_one *all = items.items;
    size_t count = 0;
    for (size_t i = 0; i < items.count; i++) {
        struct putting_one one = all[i];
        if (one.is_there)
            continue;
        all[i] = all[count];
        all[count++] = one;
    }
    items.count = count;
    return items;
}

bool push_mend_manifests(struct push_work *push, bool *ret_is_missing, struct err *err)
{
    struct each_items children = list_children(push);
    if (!each_run(children, look_for_one, push, err))
        return false;
    struct each_items absent = take_absent(children);
    if (!absent.count)
        return true;
    push->result->mended_count += absent.count;
    bool is_done = put_all(push, absent, err) && each_run(absent, check_one, push, err);
    *ret_is_missing = !is_done && is_any_missing(absent);
    return is_done;
}

static bool attach_one(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    const struct putting_one *one = item;
    if (registry_attach(push->registry, one->blob->media_type, one->bytes, err))
        return true;
    err_wrap(err, "making manifest %s findable from its subject", registry_digest_name(&one->blob->digest).chars);
    return false;
}

bool push_attach(struct push_work *push, struct err *err)
{
    struct each_items all = list_children(push);
    all.count++;
    return each_run(all, attach_one, push, err);
}
