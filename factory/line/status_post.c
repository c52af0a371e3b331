/* SPDX-License-Identifier: Apache-2.0 */
#include "line/status_post.h"

#include "base/auto.h"
#include "base/clock.h"
#include "line/status_seen.h"
#include "line/status_settle.h"
#include "registry/artifact.h"
#include "registry/registries_conf.h"
#include "registry/registry_shared.h"

#define ROUNDS_MAX 5
#define SETTLE_MS ((uint64_t)1000)

/* --- what a night tells --- */

static const struct status_error *error_of(struct arena *arena, const struct err *err)
{
    struct status_error *error = arena_new(arena, struct status_error);
    char *text = text_shown(arena, err->text);
    size_t len = strlen(text);
    if (len > STATUS_ERROR_MAX_BYTES) {
        len = STATUS_ERROR_MAX_BYTES;
        while ((text[len] & 0xC0) == 0x80)
            len--;
        text = arena_printf(arena, "%.*s…", (int)len, text);
    }
    *error = (struct status_error){err_kind_name(err->kind), (uint32_t)err->kind, text};
    return error;
}

static struct status_image image_of(struct arena *arena, const struct batch_image *image,
                                    const struct status_night *night)
{
    bool is_failing =
        !image->is_good || image->is_partial; /* one that went out without an architecture is there, too */
    struct status_image told = {.name = text_shown(arena, image->manifest->name),
                                .asked = status_asked(arena, image->word, night->site_path),
                                .destination = image->destination,
                                .writer = night->writer,
                                .outcome = is_failing            ? STATUS_FAILED
                                           : image->is_held      ? STATUS_HELD
                                           : image->is_unchanged ? STATUS_UNCHANGED
                                                                 : STATUS_BUILT,
                                .night = night->begun};
    if (is_failing)
        told.error = error_of(arena, image->is_good ? &image->missing : &image->err);
    if (!image->is_good || image->is_held || image->is_elsewhere)
        return told;
    told.good = night->begun;
    told.digest = image->index.digest;
    told.tags = image->tags;
    told.is_proven = night->is_proven;
    for (size_t i = 0; i < image->arch_count; i++) {
        if (image->made[i])
            list_add(arena, &told.architectures, image->arches[i]->name);
    }
    status_repositories(arena, image, &told);
    return told;
}

static void add_move(struct arena *arena, const struct batch_image *image, struct status_record *record)
{
    const struct push_result *result = &image->publication.result;
    struct status_move move = {.image = text_shown(arena, image->manifest->name),
                               .destination = image->destination,
                               .moved = image->ended,
                               .seconds = (uint32_t)(image->seconds + 0.999)};
    for (size_t i = 0; i < result->tags.count; i++) {
        if (result->tags.items[i].is_moved)
            list_add(arena, &move.tags, result->tags.items[i].name);
    }
    if (move.tags.count)
        list_add(arena, &record->moves, move);
}

void status_of_batch(struct arena *arena, const struct batch *batch, const struct status_night *night,
                     struct status_record *ret_record)
{
    *ret_record = (struct status_record){.format = STATUS_FORMAT,
                                         .program = IMGFACTORY_VERSION,
                                         .night = night->begun,
                                         .writer = night->writer,
                                         .is_guarded = night->is_guarded};
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        if (image->is_implied)
            continue;
        /* What another machine made of newer metadata is as that one told of it. */
        list_add(arena, &ret_record->images, image->newer ? *image->newer : image_of(arena, image, night));
        add_move(arena, image, ret_record);
    }
}

/* --- writing it --- */

/* One night's writing. */
struct posting {
    struct arena *arena;
    struct registry *registry;
    const struct plant *plant;
    struct log *log;
    struct batch *batch;
    const struct status_night *night;
    const struct reference *reference;
    struct status_record ours;
    struct digest digest; /* of the record's manifest */
};

/* Reads what is there into `there`; *ret_is_there false: nothing that is worth being kept. */
static bool read_there(struct posting *posting, struct artifact *before, struct status_record *there,
                       bool *ret_is_there, struct err *err)
{
    const char *name = posting->night->reference;
    *ret_is_there = false;
    if (!artifact_read(posting->registry, posting->arena, posting->reference->tag, STATUS_TYPE, before, err))
        return false;
    enum status_verdict verdict =
        before->found == ARTIFACT_READ ? status_record_read(posting->arena, before->document, there) : STATUS_IS_BROKEN;
    if (before->found == ARTIFACT_OTHER) {
        err_set(err, ERR_PUBLISH,
                "%s is at something that is no status record, and stays there; let status: name "
                "a tag of its own",
                name);
        return false;
    }
    if (verdict == STATUS_IS_NEWER) {
        err_set(err, ERR_PUBLISH, "%s was written by a newer imgfactory, and stays as it is", name);
        return false;
    }
    if (before->found != ARTIFACT_ABSENT && verdict == STATUS_IS_BROKEN)
        log_line(posting->log, LOG_QUIET, "warning: the status record %s cannot be read; it begins anew", name);
    *ret_is_there = verdict == STATUS_IS_READ;
    return true;
}

/* Waits where another machine may be writing, then looks whose record is there. */
static bool look_back(struct posting *posting, bool is_shared, bool *ret_is_it, struct err *err)
{
    return (!is_shared || registry_sleep(posting->registry, SETTLE_MS, err)) &&
           artifact_is_at(posting->registry, posting->reference->tag, &posting->digest, ret_is_it, err);
}

/* Writes what fits. Images of other writers go first, those of the oldest nights before others: whoever still makes them tells of them
 * again. */
static bool write_bounded(struct posting *posting, struct status_record *merged, struct buf *text, struct err *err)
{
    size_t dropped = 0;
    for (;;) {
        buf_init(text, ARTIFACT_MAX_BYTES);
        if (status_record_write(merged, text))
            break;
        buf_done(text);
        size_t count = status_record_shed(posting->arena, merged, posting->night->writer);
        if (!count) {
            err_set(err, ERR_PUBLISH, "the status record %s would be bigger than %s: make several sites of this one",
                    posting->night->reference, text_size(ARTIFACT_MAX_BYTES).chars);
            return false;
        }
        dropped += count;
    }
    if (dropped)
        log_line(posting->log, LOG_QUIET, "warning: the status record %s has no room for %zu images of other nights",
                 posting->night->reference, dropped);
    return true;
}

/* Reads, writes, and looks what is there then. *ret_is_done false: another one wrote meanwhile. */
static bool post_once(struct posting *posting, bool is_first, bool *ret_is_done, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    struct artifact before;
    struct status_record there, merged;
    bool is_there, is_lost;
    *ret_is_done = false;
    if (!read_there(posting, &before, &there, &is_there, err))
        return false;
    if (!is_first && is_there && status_record_has(&there, &posting->ours, clock_date())) {
        posting->digest = before.digest;
        *ret_is_done = true;
        return true;
    }
    if (is_there && posting->night->is_guarded)
        status_settle(posting->arena, posting->plant, &there, posting->batch, &posting->ours);
    status_record_merge(posting->arena, is_there ? &there : NULL, &posting->ours, clock_date(), &merged);
    if (!write_bounded(posting, &merged, &text, err))
        return false;
    struct artifact_put put = {
        .tag = posting->reference->tag, .type = STATUS_TYPE, .document = buf_text(&text), .before = &before};
    if (!artifact_write(posting->registry, &put, &posting->digest, &is_lost, err))
        return false;
    bool is_shared = is_there && status_record_is_shared(&there, posting->night->writer);
    return is_lost || look_back(posting, is_shared, ret_is_done, err);
}

static bool post(struct posting *posting, struct err *err)
{
    bool is_done = false;
    for (int round = 0; round < ROUNDS_MAX && !is_done; round++) {
        if (!post_once(posting, round == 0, &is_done, err))
            return false;
    }
    if (!is_done)
        err_set(err, ERR_PUBLISH, "others change it again and again");
    return is_done;
}

void status_post(struct arena *arena, const struct plant *plant, const struct status_night *night, struct batch *batch)
{
    AUTO(auto_close_registry) struct registry *registry = NULL;
    const struct registry_options *options = plant->options->registry;
    struct reference reference;
    struct batch_record *record = &batch->record;
    struct posting posting = {
        .arena = arena, .plant = plant, .log = plant->log, .batch = batch, .night = night, .reference = &reference};
    status_of_batch(arena, batch, night, &posting.ours);
    *record = (struct batch_record){.reference = night->reference};
    record->is_good = reference_parse(arena, night->reference, true, &reference, &record->err) &&
                      registries_conf_options(arena, options, &reference, &options, &record->err) &&
                      registry_open(options, plant->http, &reference, REGISTRY_PUSH, &registry, &record->err);
    if (record->is_good) {
        posting.registry = registry;
        registry_shared_will_push(registry);
        record->is_good = post(&posting, &record->err);
    }
    record->digest = posting.digest;
    if (record->is_good)
        return;
    err_wrap(&record->err, "status record %s", night->reference);
    log_line(plant->log, LOG_QUIET, "error: %s", record->err.text);
}
