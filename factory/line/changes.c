/* SPDX-License-Identifier: Apache-2.0 */
#include "line/changes.h"

#include "base/auto.h"
#include "change/change_brief.h"
#include "change/change_json.h"
#include "change/change_print.h"
#include "change/side.h"

/* Opens what the first of the image's tags has that the layout knows; false when there is nothing to compare with. */
static bool open_before(struct batch_image *image, const struct plant *plant, struct layout_image *ret_before)
{
    struct strings tags = layout_tags(&image->arena, image->layout, plant->options->wait);
    struct err ignored = {0};
    for (size_t i = 0; i < image->tags.count; i++) {
        struct layout_choice choice = {.dir = image->layout, .tag = image->tags.items[i], .wait = plant->options->wait};
        if (strings_has(&tags, choice.tag))
            return layout_image_open(&image->arena, &choice, ret_before, &ignored);
    }
    return false;
}

static const char *platform_of(struct arena *arena, const struct arch *arch)
{
    return arena_printf(arena, "%s/%s%s%s", arch->oci_os, arch->oci_architecture, arch->oci_variant ? "/" : "",
                        arch->oci_variant ? arch->oci_variant : "");
}

/* The new side: what the job made, whose bill is read whole when only its head was; NULL when it made nothing. */
static struct change_side *side_of_job(struct arena *arena, const struct job *job)
{
    if (!job->is_good)
        return NULL;
    struct change_side *side = arena_new(arena, struct change_side);
    struct bill *bill = arena_new(arena, struct bill);
    *bill = job->bill;
    *side = (struct change_side){.platform = platform_of(arena, job->arch),
                                 .digest = job->image.manifest.digest,
                                 .config = {job->image.config.bytes, job->image.config.len},
                                 .layer_bytes = bill_layer_bytes(bill),
                                 .unpacked_bytes = bill->unpacked_bytes};
    if (bill_complete(arena, bill))
        side->bill = bill;
    return side;
}

static void add(struct batch_image *image, const struct change_side *before, const struct change_side *after)
{
    struct change change;
    if (!before && !after)
        return;
    change_compare(&image->arena, before, after, &change);
    list_add(&image->arena, &image->changes->items, change);
}

/* Finds the job of a platform, and notes that it was met; NULL when the image is not made for it any more. */
static const struct job *find_job(const struct batch_image *image, const char *platform, bool *is_met)
{
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t j = 0; j < image->arch_count; j++) {
        if (is_met[j] || !text_same(platform, platform_of(&scratch, image->jobs[j].arch)))
            continue;
        is_met[j] = true;
        return &image->jobs[j];
    }
    return NULL;
}

void changes_read(struct batch_image *image, struct plant *plant)
{
    AUTO(layout_image_close) struct layout_image before = {.blobs_fd = -1};
    struct arena *arena = &image->arena;
    if (!plant->options->are_changes_told || !open_before(image, plant, &before) ||
        digest_eq(&before.root.digest, &image->index.digest))
        return;
    image->changes = arena_new(arena, struct image_changes);
    image->changes->before = before.root.digest;
    bool *is_met = arena_new_array(arena, bool, image->arch_count + 1);
    for (size_t i = 0; i < before.manifests.count; i++) {
        if (!side_is_platform(&before.manifests.items[i]) || layout_is_repeated(&before, &before.manifests.items[i]))
            continue;
        struct change_side *old = arena_new(arena, struct change_side);
        side_of_manifest(arena, plant->store, &before, &before.manifests.items[i], old);
        const struct job *job = find_job(image, old->platform, is_met);
        bool is_kept = job && !job->is_good && image->together.on_missing == MISSING_PREVIOUS;
        if (!is_kept)
            add(image, old, job ? side_of_job(arena, job) : NULL);
    }
    for (size_t j = 0; j < image->arch_count; j++) {
        if (!is_met[j])
            add(image, NULL, side_of_job(arena, &image->jobs[j]));
    }
}

/* A second entry of a platform is the same image in another compression. */
static bool is_listed_before(const json_t *children, size_t index)
{
    const json_t *platform = json_object_get(json_array_get(children, index), "platform");
    for (size_t i = 0; i < index; i++) {
        if (json_equal(json_object_get(json_array_get(children, i), "platform"), platform))
            return true;
    }
    return false;
}

/* The old side of a child of the index that tags left, by its bill; false when it is no platform. */
static bool side_of_child(struct arena *arena, const struct plant *plant, const json_t *child,
                          struct change_side *ret_side)
{
    const json_t *platform = json_object_get(child, "platform");
    const char *os = json_string_value(json_object_get(platform, "os")),
               *architecture = json_string_value(json_object_get(platform, "architecture")),
               *variant = json_string_value(json_object_get(platform, "variant")),
               *name = json_string_value(json_object_get(child, "digest"));
    struct bill *bill = arena_new(arena, struct bill);
    *ret_side = (struct change_side){0};
    if (!os || !architecture || !name || !text_has_prefix(text_of(name), "sha256:") ||
        !digest_parse(text_of(name + strlen("sha256:")), &ret_side->digest))
        return false;
    ret_side->platform = arena_printf(arena, "%s/%s%s%s", os, architecture, variant ? "/" : "", variant ? variant : "");
    if (bill_read_kept(arena, plant->store, &ret_side->digest, bill)) {
        ret_side->bill = bill;
        ret_side->layer_bytes = bill_layer_bytes(bill);
        ret_side->unpacked_bytes = bill->unpacked_bytes;
    }
    return true;
}

/* Compares one platform that was left; configurations are not: the registry would have to be asked. */
static void add_replaced(struct batch_image *image, const struct change_side *old, bool *is_met)
{
    struct arena *arena = &image->arena;
    const struct push_result *result = &image->publication.result;
    const struct job *job = find_job(image, old->platform, is_met);
    struct change_side *new = job ? side_of_job(arena, job) : NULL;
    if (new)
        new->config = (struct text){0};
    add(image, old, new);
    struct change *change = &image->changes->items.items[image->changes->items.count - 1];
    if (new && !change_is_none(change) && !change->is_known)
        change_note(
            arena, change,
            arena_printf(arena, "what was there was not made here: `imgfactory diff %s@sha256:%s %s` reads both",
                         image->destination, digest_hex(&result->replaced).chars,
                         arena_printf(arena, "%s@sha256:%s", image->destination, digest_hex(&result->digest).chars)));
}

void changes_read_replaced(struct batch_image *image, const struct plant *plant)
{
    struct arena *arena = &image->arena;
    const struct push_result *result = &image->publication.result;
    json_auto_t *index = NULL;
    json_t *child;
    size_t i;
    if (!plant->options->are_changes_told || image->changes || !result->replaced_bytes.len)
        return;
    index = json_loadb(result->replaced_bytes.ptr, result->replaced_bytes.len, 0, NULL);
    image->changes = arena_new(arena, struct image_changes);
    image->changes->before = result->replaced;
    bool *is_met = arena_new_array(arena, bool, image->arch_count + 1);
    json_array_foreach(json_object_get(index, "manifests"), i, child)
    {
        struct change_side *old = arena_new(arena, struct change_side);
        if (!is_listed_before(json_object_get(index, "manifests"), i) && side_of_child(arena, plant, child, old))
            add_replaced(image, old, is_met);
    }
    for (size_t j = 0; j < image->arch_count; j++) {
        if (!is_met[j])
            add(image, NULL, side_of_job(arena, &image->jobs[j]));
    }
}

/* Returns whether there is something to tell of. */
static bool has_changes(const struct batch_image *image)
{
    return image->has_layout && image->changes;
}

void changes_tell(struct batch *batch, struct libraries *libraries, struct stories *stories)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_image *image = &batch->images[i];
        for (size_t j = 0; has_changes(image) && j < image->changes->items.count; j++) {
            struct change *change = &image->changes->items.items[j];
            if (!change->is_known)
                continue;
            if (libraries)
                libraries_tell(&image->arena, libraries, change);
            stories_tell(&image->arena, stories, change);
            stories_advise(&image->arena, stories, change);
        }
    }
}

struct strings changes_brief(struct arena *arena, const struct batch_image *image)
{
    if (!has_changes(image))
        return (struct strings){0};
    return change_brief(arena, image->changes->items.items, image->changes->items.count);
}

json_t *changes_json(const struct batch_image *image)
{
    if (!has_changes(image))
        return NULL;
    json_t *platforms = json_array();
    for (size_t i = 0; i < image->changes->items.count; i++)
        json_array_append_new(platforms, change_json(&image->changes->items.items[i]));
    return json_pack("{s:o, s:o}", "before", json_sprintf("sha256:%s", digest_hex(&image->changes->before).chars),
                     "platforms", platforms);
}

void changes_print(FILE *out, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        if (!has_changes(image))
            continue;
        (void)fprintf(out, "## %s\n- before: sha256:%s\n", image->manifest->name,
                      digest_hex(&image->changes->before).chars);
        (void)fprintf(out, "- after: sha256:%s\n\n", digest_hex(&image->index.digest).chars);
        for (size_t j = 0; j < image->changes->items.count; j++)
            change_print_markdown(out, &image->changes->items.items[j]);
    }
}
