/* SPDX-License-Identifier: Apache-2.0 */
#include "line/status_settle.h"

#include "base/auto.h"
#include "base/clock.h"
#include "registry/registries_conf.h"

/* An image of the night, and what another machine's night tells of it. */
struct settling {
    struct arena *arena;
    const struct plant *plant;
    struct batch_image *image;
    const struct status_image *there;
    struct status_image *ours;
};

static const struct status_image *find_other(const struct status_record *record, const struct status_image *ours)
{
    for (size_t i = 0; i < record->images.count; i++) {
        const struct status_image *there = &record->images.items[i];
        if (strcmp(there->name, ours->name) == 0 && text_same(there->destination, ours->destination) &&
            strcmp(there->writer, ours->writer) != 0)
            return digest_eq(&there->digest, &ours->digest) ? NULL : there;
    }
    return NULL;
}

/* Points a tag at one of the two images, unless it is there. */
static bool set(const struct settling *settling, const char *tag, const struct digest *digest, struct err *err)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct run_options *run = settling->plant->options;
    const struct registry_options *options = run->registry;
    struct reference reference;
    struct push_result result;
    struct push_policy policy = run->push_policy;
    policy.may_lose_platforms = true; /* they had it before */
    return reference_parse(settling->arena, settling->ours->destination, false, &reference, err) &&
           registries_conf_options(settling->arena, options, &reference, &options, err) &&
           registry_open(options, settling->plant->http, &reference, REGISTRY_PUSH, &registry, err) &&
           push_tag(registry, settling->arena, digest, tag, &policy, &result, err);
}

static void tell(const struct settling *settling, const char *tag, const struct digest *digest, const struct err *err)
{
    struct log *log = settling->plant->log;
    const char *name = settling->ours->destination;
    if (err->kind)
        log_line(log, LOG_QUIET, "warning: %s:%s: another night set it at the same time; it cannot be settled: %s",
                 name, tag, err->text);
    else
        log_line(log, LOG_VERBOSE, "%s:%s: another night set it at the same time; it is at sha256:%s", name, tag,
                 digest_hex(digest).chars);
}

/* Sets back what left the other image tonight. */
static void give_back(const struct settling *settling, const struct status_newer *by)
{
    struct batch_image *image = settling->image;
    struct push_result *result = &image->publication.result;
    bool is_any = false;
    for (size_t i = 0; i < result->tags.count; i++) {
        struct push_tag *tag = &result->tags.items[i];
        struct err err = {0};
        if (!tag->is_moved || !tag->had_old || !digest_eq(&tag->old_digest, &settling->there->digest))
            continue;
        tag->is_kept = set(settling, tag->name, &tag->old_digest, &err);
        tag->is_moved = !tag->is_kept;
        is_any = is_any || tag->is_kept;
        tell(settling, tag->name, &tag->old_digest, &err);
    }
    if (!is_any)
        return;
    result->is_left = true;
    image->newer = settling->there;
    image->newer_by = *by;
    *settling->ours = *settling->there;
}

static void hold_on(const struct settling *settling)
{
    const struct push_result *result = &settling->image->publication.result;
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_tag *tag = &result->tags.items[i];
        struct err err = {0};
        if (!tag->is_moved || !digest_eq(&tag->new_digest, &result->digest))
            continue;
        (void)set(settling, tag->name, &tag->new_digest, &err);
        tell(settling, tag->name, &tag->new_digest, &err);
    }
}

void status_settle(struct arena *arena, const struct plant *plant, const struct status_record *there,
                   struct batch *batch, struct status_record *ours)
{
    size_t number = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_image *image = &batch->images[i];
        if (image->is_implied)
            continue;
        struct settling settling = {
            .arena = arena, .plant = plant, .image = image, .ours = &ours->images.items[number++]};
        struct status_newer by;
        if (!image->publication.is_good || image->newer)
            continue;
        settling.there = find_other(there, settling.ours);
        if (settling.there && status_is_newer(settling.there, settling.ours, clock_date(), &by))
            give_back(&settling, &by);
        else if (settling.there && status_is_newer(settling.ours, settling.there, clock_date(), &by))
            hold_on(&settling);
    }
}
