/* SPDX-License-Identifier: Apache-2.0 */
#include "line/together.h"

#include "base/auto.h"
#include "line/lag_memory.h"
#include "line/lag_report.h"
#include "source/format.h"

#define MEETING_ROUNDS_MAX 8
#define MEETING_LAGS_MAX 1000 /* an index of nonsense, or of another release */

/* Gives a bill whole: that of a product which is used again may have been read in part. */
static bool complete(struct batch_image *image, const struct job *job, const struct bill **ret_bill, struct err *err)
{
    *ret_bill = &job->bill;
    if (!job->bill.rest.ptr)
        return true;
    struct bill *whole = arena_new(&image->arena, struct bill);
    *whole = job->bill;
    *ret_bill = whole;
    if (bill_complete(&image->arena, whole))
        return true;
    err_set(err, ERR_LOCAL, "what it is made of cannot be read from the cache; --rebuild makes it anew");
    return false;
}

#define VERDICT_KIND "together" /* what was found equal; all of its name is in the key */

/* Names a question: what these orders made, by the keys of their products, in what they have to agree. */
static struct digest verdict_key(const struct batch_image *image, const struct job *jobs)
{
    struct digest_stream stream;
    const char *parity = together_parity_name(image->together.parity);
    digest_begin(&stream);
    digest_feed(&stream, parity, strlen(parity) + 1);
    for (size_t i = 0; i < image->arch_count; i++) {
        if (!jobs[i].is_good)
            continue;
        digest_feed(&stream, jobs[i].arch->name, strlen(jobs[i].arch->name) + 1);
        digest_feed(&stream, jobs[i].bill.key.bytes, DIGEST_BYTES);
    }
    return digest_end(&stream);
}

/* Whether these were found equal before: then the long lists of products that are used again need not be read. */
static bool were_equal(struct store *store, const struct digest *key)
{
    AUTO(view_done) struct view view = {0};
    struct err ignored = {0};
    bool is_found = false;
    return store_map_derived(store, VERDICT_KIND, key, &view, &is_found, &ignored) && is_found;
}

/* That it cannot be kept costs the next run time. */
static void keep_equal(struct store *store, const struct digest *key)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct err ignored = {0};
    (void)!(blob_begin(store, &blob, &ignored) && blob_write(&blob, "=", 1, &ignored) &&
            blob_commit_derived(&blob, VERDICT_KIND, key, &ignored));
}

/* Compares what these orders made, those that are good. */
static bool compare(struct batch_image *image, const struct job *jobs, struct lags *ret_lags, struct err *err)
{
    bool is_kept = !job_is_selected_only(&jobs[0]);
    struct digest key = verdict_key(image, jobs);
    *ret_lags = (struct lags){0};
    if (is_kept && were_equal(jobs[0].plant->store, &key))
        return true;
    struct parity_side *sides = arena_new_array(&image->arena, struct parity_side, image->arch_count);
    size_t count = 0;
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &jobs[i];
        if (!job->is_good)
            continue;
        sides[count] = (struct parity_side){.arch = job->arch, .origins = job->origins};
        if (!complete(image, job, &sides[count++].bill, err))
            return false;
    }
    *ret_lags = parity_compare(&image->arena, sides, count, image->together.parity, job_is_selected_only(&jobs[0]));
    if (is_kept && !ret_lags->count)
        keep_equal(jobs[0].plant->store, &key);
    return true;
}

/* --- security updates --- */

/* What an architecture that has the newest would get over the oldest, of all packages of one name in both. */
static struct catalog_update update_of(const struct lag *lag, const struct format *format)
{
    struct catalog_update update = {.package = lag->package, .is_security = lag->is_security};
    for (size_t i = 0; i < lag->versions.count; i++) {
        const char *version = lag->versions.items[i].package->version;
        if (!update.before || format->compare_versions(version, update.before) < 0)
            update.before = version;
        if (!update.after || format->compare_versions(version, update.after) > 0)
            update.after = version;
    }
    return update;
}

/* Asks advisories of the architectures' repositories, where there are any. Without them a repository's name has to do. */
static void find_security(struct batch_image *image, struct plant *plant)
{
    struct lags *lags = &image->lags;
    struct catalog_update *updates = arena_new_array(&image->arena, struct catalog_update, lags->count + 1);
    for (size_t i = 0; i < lags->count; i++)
        updates[i] = update_of(&lags->items[i], image->source->format);
    for (size_t i = 0; lags->count && i < image->arch_count; i++) {
        struct err err = {0};
        struct catalog *catalog;
        if (!image->jobs[i].is_good || (plant_find_catalog(plant, image->source, image->arches[i], &catalog, &err) &&
                                        catalog_mark_security(catalog, updates, lags->count, &err)))
            continue;
        log_line(plant->log, LOG_QUIET, "warning: %s for %s: what security updates there are is not known: %s",
                 image->manifest->name, image->arches[i]->name, err.text);
    }
    for (size_t i = 0; i < lags->count; i++)
        lags->items[i].is_security = updates[i].is_security;
}

/* --- the newest that all have --- */

/* Looking for it. `jobs` are orders that begin again, beside those that differ. */
struct meeting {
    struct batch_image *image;
    struct job *jobs;
    struct solve_limits *limits; /* parallel, as the next two: of each order */
    bool *is_due;                /* it has other limits than when it was run, or was not */
    bool *is_run;
};

/* Adds a limit, or lowers one. Returns whether that changed anything. */
static bool add_limit(struct arena *arena, const struct format *format, struct solve_limits *limits,
                      struct solve_limit wanted)
{
    for (size_t i = 0; i < limits->count; i++) {
        struct solve_limit *limit = &limits->items[i];
        if (strcmp(limit->name, wanted.name) != 0)
            continue;
        bool is_lower = format->compare_versions(wanted.version, limit->version) < 0;
        limit->version = is_lower ? wanted.version : limit->version;
        return is_lower;
    }
    list_add(arena, limits, wanted);
    return true;
}

/* The oldest version that any architecture has; NULL when they have packages of several names. */
static const char *oldest_version(const struct format *format, const struct lag *lag)
{
    const char *oldest = lag->versions.items[0].package->version;
    for (size_t i = 0; i < lag->versions.count; i++) {
        const struct bill_package *package = lag->versions.items[i].package;
        if (strcmp(package->name, lag->package) != 0)
            return NULL;
        oldest = format->compare_versions(package->version, oldest) < 0 ? package->version : oldest;
    }
    return oldest;
}

/* Limits the orders that have a newer one to what the one that is behind has of a package. Returns whether that is new. */
static bool limit_to(struct meeting *meeting, const struct lag *lag)
{
    struct batch_image *image = meeting->image;
    const struct format *format = image->source->format;
    const char *oldest = oldest_version(format, lag);
    bool is_any = false;
    if (!oldest)
        return false;
    struct solve_limit limit = {arena_strdup(&image->arena, lag->package), arena_strdup(&image->arena, oldest)};
    for (size_t i = 0; i < lag->versions.count; i++) {
        const struct parity_version *version = &lag->versions.items[i];
        for (size_t j = 0; j < image->arch_count; j++) {
            if (image->arches[j] != version->arch || format->compare_versions(version->package->version, oldest) <= 0 ||
                !add_limit(&image->arena, format, &meeting->limits[j], limit))
                continue;
            meeting->is_due[j] = is_any = true;
        }
    }
    return is_any;
}

static bool limit_all(struct meeting *meeting, const struct lags *lags)
{
    for (size_t i = 0; i < lags->count; i++) {
        if (!limit_to(meeting, &lags->items[i]))
            return false;
    }
    return true;
}

/* Runs an order as it was given, with its limits. */
static bool run_again(struct meeting *meeting, size_t index)
{
    const struct job *from = &meeting->image->jobs[index];
    struct job *job = &meeting->jobs[index];
    struct job fresh = {.plant = from->plant,
                        .manifest = from->manifest,
                        .source = from->source,
                        .arch = from->arch,
                        .progress = from->progress,
                        .made_base = from->made_base,
                        .is_base = from->is_base,
                        .limits = meeting->limits[index],
                        .is_filled = from->is_filled};
    if (meeting->is_run[index])
        job_done(job);
    meeting->is_run[index] = true;
    meeting->is_due[index] = false;
    *job = fresh;
    job_tree(job);
    if (job->is_to_pack)
        job_pack(job);
    return job->is_good;
}

/* Takes the orders that agree in the place of those that do not. */
static void take_common(struct meeting *meeting)
{
    struct batch_image *image = meeting->image;
    image->set_aside = arena_new_array(&image->arena, struct job, image->arch_count);
    for (size_t i = 0; i < image->arch_count; i++) {
        image->set_aside[i] = image->jobs[i];
        image->jobs[i] = meeting->jobs[i];
    }
    image->is_common = true;
}

/* Solves anew until all have the same, each time with what turned out to be too new. False when that leads nowhere. */
static bool meet(struct meeting *meeting)
{
    struct batch_image *image = meeting->image;
    struct lags lags = image->lags;
    for (int round = 0; round < MEETING_ROUNDS_MAX; round++) {
        struct err ignored = {0};
        if (lags.count > MEETING_LAGS_MAX || !limit_all(meeting, &lags))
            return false;
        for (size_t i = 0; i < image->arch_count; i++) {
            if (meeting->is_due[i] && !run_again(meeting, i))
                return false;
        }
        if (!compare(image, meeting->jobs, &lags, &ignored))
            return false;
        if (!lags.count)
            return true;
    }
    return false;
}

/* Makes the image of the newest packages that all of its architectures have, if its indices have older ones. */
static void find_common(struct batch_image *image, const struct plant *plant)
{
    struct meeting meeting = {.image = image};
    const struct run_options *options = plant->options;
    if (!image->source->format->lists_older || image->is_partial || options->is_dry_run || options->lock)
        return; /* a lock says what is taken */
    meeting.jobs = arena_new_array(&image->arena, struct job, image->arch_count);
    meeting.limits = arena_new_array(&image->arena, struct solve_limits, image->arch_count);
    meeting.is_run = arena_new_array(&image->arena, bool, image->arch_count);
    meeting.is_due = arena_new_array(&image->arena, bool, image->arch_count);
    for (size_t i = 0; i < image->arch_count; i++)
        meeting.is_due[i] = true;
    if (meet(&meeting)) {
        take_common(&meeting);
        return;
    }
    for (size_t i = 0; i < image->arch_count; i++) {
        if (meeting.is_run[i])
            job_done(&meeting.jobs[i]);
        progress_stage(image->jobs[i].progress, STAGE_DONE);
    }
}

bool together_compare(struct batch_image *image, struct plant *plant, struct err *err)
{
    if (image->together.parity == PARITY_UNASKED || image->arch_count < 2 || plant->options->explained)
        return true;
    if (!compare(image, image->jobs, &image->lags, err))
        return false;
    image->is_compared = true;
    find_security(image, plant);
    if (image->together.parity == PARITY_OFF)
        return true;
    bool is_below = image->base && image->base->is_held;
    if (image->lags.count && !is_below)
        find_common(image, plant);
    image->is_held = is_below || (image->lags.count && !image->is_common);
    return true;
}

void together_note(struct batch *batch, const struct run_options *options, struct log *log)
{
    struct lag_note *notes = arena_new_array(&batch->arena, struct lag_note, batch->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < batch->count && !options->is_dry_run; i++) {
        struct batch_image *image = &batch->images[i];
        const char *place = image->destination ? image->destination : "-";
        if (image->is_compared)
            notes[count++] =
                (struct lag_note){.image = arena_printf(&batch->arena, "%s %s", image->manifest->name, place),
                                  .lags = &image->lags,
                                  .is_held_back = image->is_held || image->is_common,
                                  .is_partial = image->is_partial};
    }
    lag_memory_note(options->state_dir, notes, count, options->now, log);
}

bool together_is_overdue(const struct batch_image *image)
{
    bool is_overdue = false;
    for (size_t i = 0; i < image->lags.count; i++)
        is_overdue = is_overdue || image->lags.items[i].is_overdue;
    return is_overdue;
}

bool together_is_partly(const struct batch_image *image)
{
    return image->is_good && (image->is_partial || together_is_overdue(image));
}

/* The difference that says most: one that is overdue, a security update, or any. */
static const struct lag *gravest(const struct lags *lags)
{
    const struct lag *found = NULL;
    for (size_t i = 0; i < lags->count; i++) {
        const struct lag *lag = &lags->items[i];
        if (!found || lag->is_overdue > found->is_overdue ||
            (lag->is_overdue == found->is_overdue && lag->is_security > found->is_security))
            found = lag;
    }
    return found;
}

static void log_image(const struct batch_image *image, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct lag *lag = gravest(&image->lags);
    const char *name = image->manifest->name;
    if (!lag) {
        log_line(log, LOG_QUIET, "warning: %s is held, no tag moves: its base %s is", name,
                 image->base->manifest->name);
        return;
    }
    const char *more = image->lags.count < 2 ? "" : arena_printf(&scratch, " (and %zu more)", image->lags.count - 1);
    const char *advice = lag->is_overdue ? "; with --parity=off it goes out as it is" : "";
    log_line(log, LOG_QUIET, "%s: %s %s: %s%s%s", lag->is_overdue ? "error" : "warning", name,
             image->is_held     ? "is held, no tag moves"
             : image->is_common ? "has what all architectures have"
                                : "differs between architectures",
             lag_report_line(&scratch, lag), more, advice);
}

void together_log(const struct batch *batch, struct log *log)
{
    for (int is_overdue = 1; is_overdue >= 0; is_overdue--) {
        for (size_t i = 0; i < batch->count; i++) {
            const struct batch_image *image = &batch->images[i];
            bool is_told = image->is_held || image->lags.count;
            if (is_told && together_is_overdue(image) == is_overdue)
                log_image(image, log);
        }
    }
}
