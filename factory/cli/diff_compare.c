/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/diff_parts.h"

#include "change/side.h"

/* Finds the platform of an image that has a side's name; with only one platform on both sides names do not count. */
static const struct layout_manifest *find_platform(const struct layout_image *image,
                                                   const struct layout_manifest *wanted)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (side_is_platform(manifest) && text_same(manifest->os, wanted->os) &&
            text_same(manifest->architecture, wanted->architecture) && text_same(manifest->variant, wanted->variant))
            return manifest;
    }
    return NULL;
}

/* Returns the only platform of an image; NULL when it has several, or none. */
static const struct layout_manifest *only_platform(const struct layout_image *image)
{
    const struct layout_manifest *found = NULL;
    for (size_t i = 0; i < image->manifests.count; i++) {
        if (!side_is_platform(&image->manifests.items[i]) || layout_is_repeated(image, &image->manifests.items[i]))
            continue;
        if (found)
            return NULL;
        found = &image->manifests.items[i];
    }
    return found;
}

static struct change_side *side_of(struct differ *differ, struct compared *compared, const struct diff_end *end,
                                   const struct layout_manifest *manifest)
{
    struct change_side *side = manifest ? arena_new(differ->arena, struct change_side) : NULL;
    if (!side)
        return NULL;
    side_of_manifest(differ->arena, differ->store, end->image, manifest, side);
    list_add(differ->arena, &compared->sides, side);
    return side;
}

/* Returns whether bills tell all: both are there, and what both images stand on is the same. */
static bool are_bills_enough(const struct differ *differ, const struct change_side *before,
                             const struct change_side *after)
{
    static const struct bill_base none;
    if (differ->options->is_layers || !before->bill || !after->bill)
        return false;
    const struct bill_base *a = before->bill->base ? before->bill->base : &none;
    const struct bill_base *b = after->bill->base ? after->bill->base : &none;
    return digest_eq(&a->manifest, &b->manifest);
}

/* Reads one platform's layers in place of its bill. */
static bool read_layers(struct differ *differ, const struct diff_end *end, const struct layout_manifest *manifest,
                        struct change_side *side, struct strings *notes, struct err *err)
{
    const struct side_image read = {end->name, end->image, manifest};
    const char *note;
    if (!differ->store) {
        err_set(err, ERR_LOCAL, "there is no cache to read layers with");
        return false;
    }
    if (!image_word_fetch(&differ->opener, end->registry, manifest, err) ||
        !side_read_layers(differ->arena, differ->store, &read, side, &note, err))
        return false;
    if (note)
        list_add(differ->arena, notes, arena_printf(differ->arena, "%s: %s", end->name, note));
    return true;
}

/* Makes both sides comparable: by their bills, or else both by their layers. */
static bool complete(struct differ *differ, const struct compared *compared,
                     const struct layout_manifest *const manifests[2], struct change_side *const sides[2],
                     struct strings *notes, struct err *err)
{
    const struct diff_end *const ends[2] = {&compared->before, &compared->after};
    if (are_bills_enough(differ, sides[0], sides[1]) || digest_eq(&sides[0]->digest, &sides[1]->digest))
        return true;
    for (size_t i = 0; i < 2; i++) {
        struct err fault = {0};
        if (read_layers(differ, ends[i], manifests[i], sides[i], notes, &fault))
            continue;
        if (fault.kind == ERR_CANCELLED) {
            *err = fault;
            return false;
        }
        list_add(differ->arena, notes,
                 arena_printf(differ->arena, "packages and files were not compared: %s", fault.text));
        sides[0]->bill = sides[1]->bill = NULL;
        return true;
    }
    return true;
}

static bool compare_platforms(struct differ *differ, struct compared *compared, const struct layout_manifest *before,
                              const struct layout_manifest *after, struct err *err)
{
    const struct layout_manifest *const manifests[2] = {before, after};
    struct change_side *const sides[2] = {side_of(differ, compared, &compared->before, before),
                                          side_of(differ, compared, &compared->after, after)};
    struct strings notes = {0};
    struct change change;
    if (before && after && !complete(differ, compared, manifests, sides, &notes, err))
        return false;
    change_compare(differ->arena, sides[0], sides[1], &change);
    for (size_t i = 0; i < notes.count; i++)
        change_note(differ->arena, &change, notes.items[i]);
    if (change.is_known) {
        libraries_tell(differ->arena, &differ->libraries, &change);
        stories_tell(differ->arena, &differ->stories, &change);
        stories_advise(differ->arena, &differ->stories, &change);
    }
    list_add(differ->arena, &compared->changes, change);
    return true;
}

bool diff_compare(struct differ *differ, struct compared *compared, struct err *err)
{
    const struct layout_image none = {0};
    const struct layout_image *before = compared->before.image ? compared->before.image : &none,
                              *after = compared->after.image ? compared->after.image : &none;
    const struct layout_manifest *only_before = only_platform(before), *only_after = only_platform(after);
    compared->is_same =
        compared->before.image && compared->after.image && digest_eq(&before->root.digest, &after->root.digest);
    if (only_before && only_after)
        return compare_platforms(differ, compared, only_before, only_after, err);
    for (size_t i = 0; i < before->manifests.count; i++) {
        const struct layout_manifest *manifest = &before->manifests.items[i];
        if (side_is_platform(manifest) && !layout_is_repeated(before, manifest) &&
            !compare_platforms(differ, compared, manifest, find_platform(after, manifest), err))
            return false;
    }
    for (size_t i = 0; i < after->manifests.count; i++) {
        const struct layout_manifest *manifest = &after->manifests.items[i];
        if (side_is_platform(manifest) && !layout_is_repeated(after, manifest) && !find_platform(before, manifest) &&
            !compare_platforms(differ, compared, NULL, manifest, err))
            return false;
    }
    return true;
}

void diff_compare_done(struct compared *compared)
{
    for (size_t i = 0; i < compared->sides.count; i++)
        side_close(compared->sides.items[i]);
}
