/* SPDX-License-Identifier: Apache-2.0 */
/* Two images, one of which was made again: documents, layers, and of layers that differ the first file. */
#include "cli/rebuild_parts.h"

#include "base/auto.h"
#include "change/side.h"
#include "cli/image_word.h"
#include "oci/config_read.h"
#include "registry/pull.h"

/* A comparison under work. */
struct comparing {
    struct arena *arena;
    struct store *store;
    const struct rebuild_plan *plan;
    const struct layout_image *made;
    struct rebuild_result *result;
};

static void differ(struct comparing *comparing, enum rebuild_verdict verdict, const char *line)
{
    struct rebuild_result *result = comparing->result;
    if (verdict > result->verdict)
        result->verdict = verdict;
    list_add(comparing->arena, &result->lines, line);
}

static const char *platform_of(struct arena *arena, const struct layout_manifest *manifest)
{
    return arena_printf(arena, "%s/%s%s%s", manifest->os ? manifest->os : "unknown",
                        manifest->architecture ? manifest->architecture : "unknown", manifest->variant ? "/" : "",
                        manifest->variant ? manifest->variant : "");
}

/* The platform of the image that was made which is the one of another. */
static const struct layout_manifest *counterpart(const struct layout_image *made,
                                                 const struct layout_manifest *manifest)
{
    for (size_t i = 0; i < made->manifests.count; i++) {
        const struct layout_manifest *other = &made->manifests.items[i];
        if (side_is_platform(other) && text_same(other->os, manifest->os) &&
            text_same(other->architecture, manifest->architecture) && text_same(other->variant, manifest->variant))
            return other;
    }
    return NULL;
}

/* --- layers that differ --- */

static const char *state_of(struct arena *arena, const struct bill_file *file)
{
    if (!file)
        return "not there";
    if (file->target)
        return arena_printf(arena, "a link to %s", file->target);
    if (file->kind == NODE_FILE)
        return arena_printf(arena, "sha256:%.12s…, %04o %u:%u", digest_hex(&file->digest).chars, file->mode, file->uid,
                            file->gid);
    return arena_printf(arena, "%04o %u:%u", file->mode, file->uid, file->gid);
}

/* Names the first file that differs, with its package. */
static const char *first_difference(struct arena *arena, const struct change *change, const struct bill *bill)
{
    for (size_t i = 0; i < change->files.count; i++) {
        const struct file_change *one = &change->files.items[i];
        const char *path = one->before ? one->before->path : one->after->path;
        const struct bill_file *told = bill ? bill_find(bill, path) : NULL;
        const struct bill_package *package = told ? bill_find_package(bill, told->package) : NULL;
        return arena_printf(arena, "%s%s: it is %s, and comes out as %s%s", path,
                            package ? arena_printf(arena, " of %s %s", package->name, package->version) : "",
                            state_of(arena, one->before), state_of(arena, one->after),
                            change->files.count > 1 ? arena_printf(arena, "; and %zu more", change->files.count - 1)
                                                    : "");
    }
    return "the same files; the order, the times or the headers of its tar differ";
}

static bool compare_files(struct comparing *comparing, const struct layout_manifest *theirs,
                          const struct layout_manifest *ours, const char *platform, struct err *err)
{
    struct arena *arena = comparing->arena;
    struct change_side before = {0}, after = {0};
    struct change change;
    const char *note;
    struct side_image their_image = {"the image", &comparing->plan->image, theirs},
                      our_image = {"the image that was made again", comparing->made, ours};
    side_of_manifest(arena, NULL, comparing->made, ours, &after);
    const struct bill *bill = after.bill;
    side_of_manifest(arena, NULL, &comparing->plan->image, theirs, &before);
    bool is_good = side_read_layers(arena, comparing->store, &their_image, &before, &note, err) &&
                   side_read_layers(arena, comparing->store, &our_image, &after, &note, err);
    if (is_good) {
        change_compare(arena, &before, &after, &change);
        differ(comparing, REBUILD_DIFFERENT,
               arena_printf(arena, "%s: layers differ: %s", platform, first_difference(arena, &change, bill)));
    }
    side_close(&before);
    side_close(&after);
    return is_good;
}

/* --- one platform --- */

static bool has_same_diff_ids(struct arena *arena, const struct layout_manifest *a, const struct layout_manifest *b)
{
    struct config_facts first, second;
    config_read(arena, a->config_bytes, &first);
    config_read(arena, b->config_bytes, &second);
    return first.diff_ids.count == a->layers.count && strings_same(&first.diff_ids, &second.diff_ids);
}

static const char *first_value(struct arena *arena, const struct change *change)
{
    const struct value_change *one = change->values.count ? &change->values.items[0] : NULL;
    if (!one)
        return "";
    return arena_printf(arena, ": %s%s%s is %s, and comes out as %s", one->key, one->name ? " " : "",
                        one->name ? one->name : "", one->before ? one->before : "not there",
                        one->after ? one->after : "not there");
}

static void compare_configs(struct comparing *comparing, const struct layout_manifest *theirs,
                            const struct layout_manifest *ours, const char *platform)
{
    struct change_side before, after;
    struct change change;
    side_of_manifest(comparing->arena, NULL, &comparing->plan->image, theirs, &before);
    side_of_manifest(comparing->arena, NULL, comparing->made, ours, &after);
    change_compare(comparing->arena, &before, &after, &change);
    differ(comparing, REBUILD_DIFFERENT,
           arena_printf(comparing->arena, "%s: configurations differ%s", platform,
                        first_value(comparing->arena, &change)));
}

static const char *encoder_of(struct arena *arena, const struct layout_image *image,
                              const struct layout_manifest *manifest, const char *told)
{
    struct bill bill;
    if (!image->dir || !bill_read_beside(arena, image->dir, &manifest->blob.digest, &bill) || !bill.layers.count)
        return told ? text_printable(arena, text_of(told)) : "another encoder";
    return bill.layers.items[bill.layers.count - 1].encoder;
}

static bool compare_platform(struct comparing *comparing, const struct layout_manifest *theirs, struct err *err)
{
    struct arena *arena = comparing->arena;
    const char *platform = text_printable(arena, text_of(platform_of(arena, theirs)));
    const struct layout_manifest *ours = counterpart(comparing->made, theirs);
    if (!ours) {
        differ(comparing, REBUILD_DIFFERENT, arena_printf(arena, "%s: nothing was made for it", platform));
        return true;
    }
    if (digest_eq(&theirs->blob.digest, &ours->blob.digest))
        return true;
    if (!has_same_diff_ids(arena, theirs, ours))
        return compare_files(comparing, theirs, ours, platform, err);
    if (!digest_eq(&theirs->config.digest, &ours->config.digest)) {
        compare_configs(comparing, theirs, ours, platform);
        return true;
    }
    bool has_same_layers = theirs->layers.count == ours->layers.count;
    for (size_t i = 0; has_same_layers && i < theirs->layers.count; i++)
        has_same_layers = digest_eq(&theirs->layers.items[i].digest, &ours->layers.items[i].digest);
    if (has_same_layers)
        differ(comparing, REBUILD_DIFFERENT, arena_printf(arena, "%s: the manifests differ, in annotations", platform));
    else
        differ(comparing, REBUILD_SAME_CONTENT,
               arena_printf(arena, "%s: same content, other compression: by %s, and here by %s", platform,
                            encoder_of(arena, &comparing->plan->image, theirs, comparing->plan->made.encoder),
                            encoder_of(arena, comparing->made, ours, NULL)));
    return true;
}

static bool compare_all(struct comparing *comparing, struct err *err)
{
    const struct layout_image *image = &comparing->plan->image;
    if (digest_eq(&image->root.digest, &comparing->made->root.digest))
        return true;
    for (size_t i = 0; i < image->manifests.count; i++) {
        if (side_is_platform(&image->manifests.items[i]) &&
            !compare_platform(comparing, &image->manifests.items[i], err))
            return false;
    }
    for (size_t i = 0; image->is_index && i < comparing->made->manifests.count; i++) {
        if (!counterpart(image, &comparing->made->manifests.items[i]))
            differ(comparing, REBUILD_DIFFERENT,
                   arena_printf(comparing->arena, "%s: it is not in the image",
                                platform_of(comparing->arena, &comparing->made->manifests.items[i])));
    }
    if (image->is_index && !comparing->result->lines.count)
        differ(comparing, REBUILD_DIFFERENT, "the indices differ, and all that they name is the same");
    return true;
}

bool rebuild_compare(struct command *command, const struct rebuild_plan *plan, const char *dir,
                     struct rebuild_result *ret_result, struct err *err)
{
    struct arena *arena = &command->arena;
    AUTO(layout_image_close) struct layout_image made = {.blobs_fd = -1};
    struct remote remote = {.command = command, .arena = arena};
    struct layout_choice choice = {.dir = arena_printf(arena, "%s/out/%s", dir, plan->made.image),
                                   .wait = &command->lock_wait};
    struct store *store;
    *ret_result = (struct rebuild_result){0};
    if (!layout_image_open(arena, &choice, &made, err) || !remote_open_store(&remote, &store, err))
        return false;
    struct comparing comparing = {.arena = arena, .store = store, .plan = plan, .made = &made, .result = ret_result};
    bool is_good = compare_all(&comparing, err);
    store_close(store);
    return is_good;
}
