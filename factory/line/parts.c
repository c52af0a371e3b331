/* SPDX-License-Identifier: Apache-2.0 */
#include "line/parts.h"

#include "base/auto.h"
#include "line/sharding.h"
#include "oci/oci_part.h"
#include "registry/plan_tag.h"

bool parts_are_made(const struct plant *plant)
{
    const struct sharding *sharding = plant->options->sharding;
    return sharding && !sharding->is_assembling;
}

/* A platform being published. */
struct making {
    struct batch_image *image;
    struct plant *plant;
    const struct job *job;
    struct arena *arena;
    const char *tag; /* of the layout */
};

/* Puts the bill into the store, where the layout takes it from. */
static bool keep_bill(const struct making *making, struct layout_beside *ret_bill, struct layer *ret_blob,
                      struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct store *store = making->plant->store;
    if (!bill_text(making->arena, &making->job->bill, &ret_bill->bytes)) {
        err_set(err, ERR_LOCAL, "%s for %s: its bill is bigger than bills may be", making->image->manifest->name,
                making->job->arch->name);
        return false;
    }
    ret_bill->about = making->job->image.manifest.digest;
    *ret_blob = (struct layer){.size_bytes = ret_bill->bytes.len};
    return blob_begin(store, &blob, err) && blob_write(&blob, ret_bill->bytes.ptr, ret_bill->bytes.len, err) &&
           blob_commit(&blob, NULL, &ret_blob->digest, err);
}

/* Writes the part into the image's layout. */
static bool write_part(const struct making *making, const struct layout_beside *bill, const struct layer *blob,
                       struct err *err)
{
    const struct image *platform = &making->job->image;
    struct oci_part part = {.plan = making->plant->options->sharding->plan,
                            .arch = making->job->arch,
                            .manifest = platform->manifest.digest,
                            .manifest_bytes = platform->manifest.len,
                            .second = platform->second ? platform->second->manifest.digest : (struct digest){{0}},
                            .second_bytes = platform->second ? platform->second->manifest.len : 0,
                            .bill = blob->digest,
                            .bill_bytes = blob->size_bytes};
    struct oci_part_documents documents;
    oci_part_make(making->arena, &part, &documents);
    struct image artifact = {.arch = making->job->arch, .config = documents.empty, .manifest = documents.artifact};
    struct strings tags = {0};
    bool is_unchanged;
    list_add(making->arena, &artifact.layers, *blob);
    list_add(making->arena, &tags, making->tag);
    const struct image *images[3] = {platform};
    size_t image_count = 1;
    if (platform->second)
        images[image_count++] = platform->second;
    images[image_count++] = &artifact;
    struct layout_request request = {.dir = making->image->layout,
                                     .store = making->plant->store,
                                     .images = images,
                                     .image_count = image_count,
                                     .index = &documents.index,
                                     .tags = &tags,
                                     .wait = making->plant->options->wait,
                                     .arena = making->arena,
                                     .beside = bill,
                                     .beside_count = 1};
    return layout_write(&request, &is_unchanged, err);
}

/* Adds what became of one platform to what is told of the image. */
static void add_result(struct batch_image *image, const struct publication *part)
{
    struct push_result *all = &image->publication.result;
    const struct push_result *one = &part->result;
    for (size_t i = 0; i < one->tags.count; i++)
        list_add(&image->arena, &all->tags, one->tags.items[i]);
    all->digest = one->digest;
    all->is_unchanged = all->is_unchanged && one->is_unchanged;
    all->sent_bytes += one->sent_bytes;
    all->blob_count += one->blob_count;
    all->present_count += one->present_count;
    all->mended_count += one->mended_count;
}

/* The tag of the plan is the only one that moves, and nothing hangs on what it is at. */
static bool push_part(const struct making *making, const struct part_place *place, struct err *err)
{
    struct batch_image *image = making->image;
    const struct run_options *options = making->plant->options;
    struct publication part = {.layout = image->layout,
                               .layout_tag = making->tag,
                               .wait = options->wait,
                               .policy = {.receipts_dir = options->push_policy.receipts_dir,
                                          .is_look_forced = options->push_policy.is_look_forced,
                                          .may_lose_platforms = true},
                               .progress = image->publication.progress,
                               .destination = place->repository};
    list_add(
        &image->arena, &part.tags,
        plan_tag_below(&image->arena, options->sharding->plan, place->image, making->job->arch->name, place->depth));
    bool is_good = publish_layout(&image->arena, options->registry, making->plant->http, &part, err);
    add_result(image, &part);
    if (is_good)
        log_line(making->plant->log, LOG_NORMAL, "%s: %s %s:%s", image->manifest->name,
                 part.result.is_unchanged ? "unchanged" : "pushed", place->repository, part.tags.items[0]);
    else
        err_wrap(err, "push of %s to %s", making->job->arch->name, place->repository);
    return is_good;
}

static bool publish_one(struct making *making, struct err *err)
{
    struct layout_beside bill;
    struct layer blob;
    making->tag = arena_printf(making->arena, "part-%s", making->job->arch->name);
    if (!keep_bill(making, &bill, &blob, err) || !write_part(making, &bill, &blob, err))
        return false;
    for (size_t i = 0; i < making->image->places.count; i++) {
        if (!push_part(making, &making->image->places.items[i], err))
            return false;
    }
    return true;
}

bool parts_publish(struct batch_image *image, struct plant *plant, struct err *err)
{
    struct publication *publication = &image->publication;
    publication->is_tried = image->destination != NULL;
    publication->result.is_unchanged = true;
    publication->destination = image->destination;
    image->layout = arena_printf(&image->arena, "%s/%s", plant->options->output_dir, image->manifest->name);
    for (size_t i = 0; i < image->arch_count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        struct making making = {.image = image, .plant = plant, .job = &image->jobs[i], .arena = &scratch};
        if (!image->jobs[i].is_good || publish_one(&making, err))
            continue;
        publication->err = *err;
        publication->is_good = false;
        return false;
    }
    publication->is_good = true;
    return true;
}
