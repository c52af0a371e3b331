/* SPDX-License-Identifier: Apache-2.0 */
#include "line/published.h"

#include "base/auto.h"
#include "line/changes.h"
#include "line/missing.h"
#include "line/published_whole.h"
#include "past/past_document.h"

#define CVE "CVE-"

static void add_once(struct arena *arena, struct map *seen, const char *text, struct strings *list)
{
    if (list->count < PAST_CHANGES_MAX && map_add(seen, text_of(text), seen))
        list_add(arena, list, text);
}

/* Those of one platform: what a package names that gave no file to the image was not in it. */
static void add_cves(struct arena *arena, const struct change *change, struct map *seen, struct strings *list)
{
    for (size_t i = 0; i < change->stories.count; i++) {
        const struct change_story *told = &change->stories.items[i];
        const struct story *story = told->story;
        bool is_told = !story->is_back && stories_are_given(change, &told->packages);
        for (size_t k = 0; is_told && k < story->picks.cves.count; k++)
            add_once(arena, seen, story->picks.cves.items[k], list);
    }
    for (size_t i = 0; i < change->advisories.count; i++) {
        const struct advisory *advisory = &change->advisories.items[i];
        const struct strings *references = &advisory->references;
        bool is_told = stories_are_given(change, &advisory->packages);
        for (size_t k = 0; is_told && k < references->count; k++) {
            if (strncmp(references->items[k], CVE, strlen(CVE)) == 0)
                add_once(arena, seen, references->items[k], list);
        }
    }
}

struct strings published_cves(struct arena *arena, const struct batch_image *image)
{
    struct strings cves = {0};
    struct map seen = {.arena = arena};
    for (size_t i = 0; image->changes && i < image->changes->items.count; i++)
        add_cves(arena, &image->changes->items.items[i], &seen, &cves);
    return cves;
}

/* Each package and pair of versions once, whatever platforms have it. */
static void add_changes(struct arena *arena, const struct batch_image *image, struct past_record *record)
{
    struct map seen = {.arena = arena};
    for (size_t i = 0; image->changes && i < image->changes->items.count; i++) {
        const struct change *change = &image->changes->items.items[i];
        for (size_t k = 0; change->before && change->after && k < change->packages.count; k++) {
            const struct package_change *package = &change->packages.items[k];
            struct past_change noted = {.package = change_package(package)->name,
                                        .before = package->before ? package->before->version : NULL,
                                        .after = package->after ? package->after->version : NULL};
            const char *key = arena_printf(arena, "%s\n%s\n%s", noted.package, noted.before ? noted.before : "",
                                           noted.after ? noted.after : "");
            if (package->has_given && record->changes.count < PAST_CHANGES_MAX && map_add(&seen, text_of(key), &seen))
                list_add(arena, &record->changes, noted);
        }
    }
}

static struct past_platform platform_of(const struct batch_image *image, size_t number)
{
    const struct job *job = &image->jobs[number];
    const struct image *made = image->made[number];
    struct past_platform platform = {.arch = image->arches[number]->name, .manifest = made->manifest.digest};
    for (size_t i = 0; i < made->layers.count; i++)
        platform.layer_bytes += made->layers.items[i].size_bytes;
    if (!job->is_good) /* what the registry had for it */
        return platform;
    platform.version = job->bill.facts.full_version;
    platform.unpacked_bytes = job->bill.unpacked_bytes;
    platform.package_count = job->bill.package_count;
    platform.file_count = job->bill.file_count;
    return platform;
}

static void fill_record(struct arena *arena, const struct batch_image *image, struct past_record *ret_record)
{
    struct past_record record = {.format = PAST_FORMAT,
                                 .name = image->manifest->name,
                                 .destination = image->destination,
                                 .digest = image->index.digest,
                                 .tags = image->tags,
                                 .created = missing_first_good(image)->bill.facts.created_time,
                                 .cves = published_cves(arena, image)};
    if (image->changes)
        record.before = image->changes->before;
    for (size_t i = 0; i < image->arch_count && i < PAST_PLATFORMS_MAX; i++) {
        if (image->made[i])
            list_add(arena, &record.platforms, platform_of(image, i));
    }
    add_changes(arena, image, &record);
    *ret_record = record;
}

bool published_record(struct arena *arena, const struct batch_image *image, struct past_record *ret_record)
{
    const struct publication *publication = &image->publication;
    bool is_published = image->is_good && image->has_layout && !image->is_held &&
                        (!image->destination || (publication->is_good && !publication->result.is_left));
    if (is_published)
        fill_record(arena, image, ret_record);
    return is_published;
}

/* The bills of the record's platforms. */
static const struct bill **bills_of(struct arena *arena, const struct batch_image *image)
{
    const struct bill **bills = arena_new_array(arena, const struct bill *, image->arch_count + 1);
    size_t count = 0;
    for (size_t i = 0; i < image->arch_count && count < PAST_PLATFORMS_MAX; i++) {
        if (image->made[i])
            bills[count++] = image->jobs[i].is_good ? published_whole(arena, &image->jobs[i]) : NULL;
    }
    return bills;
}

bool published_attach(struct batch_image *image, const struct plant *plant, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf document = {0};
    struct past_note note;
    fill_record(&scratch, image, &note.record);
    note.record.first = note.record.last = plant->options->now;
    note.bills = bills_of(&scratch, image);
    if (!past_document_make(&note, &document)) {
        log_line(plant->log, LOG_QUIET, "warning: %s: its bills are bigger than a registry takes, and stay here",
                 image->manifest->name);
        return !plant_is_cancelled(plant, err);
    }
    image->publication.attachment = (struct push_attachment){
        PAST_DOCUMENT_TYPE, {arena_strndup(&image->arena, document.bytes, document.len), document.len}};
    return true;
}

void published_keep(const struct batch *batch, const struct run_options *options, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct past_note *notes = arena_new_array(&scratch, struct past_note, batch->count + 1);
    struct err err = {0};
    size_t count = 0;
    bool is_more;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        if (!published_record(&scratch, image, &notes[count].record))
            continue;
        notes[count++].bills = bills_of(&scratch, image);
    }
    if (!past_keep(options->state_dir, notes, count, options->now, &is_more, &err))
        log_line(log, LOG_QUIET, "warning: %s; history and find --in-images will not know of this run", err.text);
    else if (is_more)
        past_prune(options->state_dir);
}
