/* SPDX-License-Identifier: Apache-2.0 */
#include "line/batch.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/date.h"
#include "line/archived.h"
#include "line/assembly.h"
#include "line/changes.h"
#include "line/fewer.h"
#include "line/image_notes.h"
#include "line/missing.h"
#include "line/parts.h"
#include "line/published.h"
#include "line/status_seen.h"
#include "line/steps.h"
#include "line/together.h"
#include "registry/stamp.h"
#include "sbom/attest.h"
#include "sign/sign_image.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

/* Orders mostly wait (for the network, for workers), so there are more of their threads than cores; the rest queue. */
#define MAX_ORDER_THREADS 16
/* Below this limit of open files orders go one after another: what several hold at once might not fit. */
#define MANY_DESCRIPTORS 64
/* Images that are pushed at a time, each on a thread of its own: they wait for the registry. */
#define MAX_PUBLISHING 32
/* How long orders may take to end after a signal, and how often is looked. */
#define GRACE_S 0.7
#define LOOK_MS 20

/* An image on its way to the registry. */
struct publishing {
    struct shift *shift;
    struct batch_image *image;
    pthread_t thread;
};

/* What the orders' threads share during batch_run(). */
struct shift {
    struct plant *plant;
    struct job **jobs;           /* all, in plan order; const while threads run */
    struct batch_image **images; /* parallel to jobs */
    size_t count;
    struct batch_image *first; /* of the batch: gates have the numbers of images */
    size_t image_count;
    bool is_waiting_for_all; /* a lock holds for all images or for none: they go out once all orders have ended */
    struct steps steps;
    double start;
    bool has_few_descriptors;      /* one thing at a time */
    struct publishing *publishing; /* one for each order */
    pthread_mutex_t lock;          /* guards the next six, and what was told of images */
    size_t publishing_count;       /* threads that were started for that … */
    size_t publishing_running;     /* … and have not ended */
    size_t running_count;          /* threads of both kinds */
    size_t order_threads;          /* of orders alone; the last to end lets out what waits */
    struct batch_image **waiting;  /* put together, in this order; room for all */
    size_t waiting_count;
    pthread_cond_t ended; /* predicate: running_count is 0 */
};

/* Tells the orders of an image which one they wait for. */
static void await_base(struct batch *batch, struct batch_image *image)
{
    for (size_t j = 0; image->base && j < image->arch_count; j++)
        image->jobs[j].made_base = arena_new(&batch->arena, struct made_base);
    for (size_t j = 0; image->base && j < image->base->arch_count; j++)
        image->base->jobs[j].is_base = true;
}

/* What a selection depends on is made in a dry run, too: the image that packages are installed on, and those below it. */
static void fill_base(const struct batch_image *image)
{
    for (const struct batch_image *base = manifest_fills(image->manifest) ? image->base : NULL; base;
         base = base->base) {
        for (size_t j = 0; j < base->arch_count; j++)
            base->jobs[j].is_filled = true;
    }
}

void batch_init(struct batch *batch, struct batch_image *images, size_t count)
{
    size_t orders = 0;
    *batch = (struct batch){.images = images, .count = count};
    for (size_t i = 0; i < count; i++)
        orders += images[i].arch_count;
    progress_init(&batch->arena, orders + count, &batch->progress);
    struct progress_line *line = batch->progress.lines;
    for (size_t i = 0; i < count; i++) {
        images[i].jobs = arena_new_array(&batch->arena, struct job, images[i].arch_count);
        for (size_t j = 0; j < images[i].arch_count; j++, line++) {
            line->image = images[i].manifest->name;
            line->arch = images[i].arches[j]->name;
            images[i].jobs[j] = (struct job){.manifest = images[i].manifest,
                                             .source = images[i].source,
                                             .arch = images[i].arches[j],
                                             .progress = line};
        }
    }
    for (size_t i = 0; i < count; i++, line++) {
        line->image = images[i].manifest->name;
        line->arch = "";
        progress_stage(line, STAGE_DONE); /* nothing to show until it is pushed */
        images[i].publication.progress = line;
        atomic_store(&images[i].is_ended, images[i].err.kind != ERR_NONE);
        await_base(batch, &images[i]);
    }
    for (size_t i = 0; i < count; i++)
        fill_base(&images[i]);
}

/* Expands one template with an architecture's facts into a valid tag. */
static bool expand_tag(struct batch_image *image, const char *template, const struct oci_facts *facts,
                       const char **ret_tag, struct err *err)
{
    const char *text;
    if (!oci_expand(&image->arena, template, facts, &text, err))
        return false;
    *ret_tag = oci_tag_safe(&image->arena, text);
    return true;
}

/* Whether a tag of one platform names no version: digits in the architecture's name are none. */
static bool floats(struct batch_image *image, const char *template, const struct oci_facts *facts,
                   bool *ret_is_floating, struct err *err)
{
    struct oci_facts other = *facts;
    const char *tag;
    other.arch = "arch";
    if (!expand_tag(image, template, &other, &tag, err))
        return false;
    *ret_is_floating = !strpbrk(tag, "0123456789");
    return true;
}

/* Notes what the site says of the tags of a template. */
static void note_rule(struct batch_image *image, const char *template, const char *tag)
{
    const struct tag_rule *rule = image->tag_rules ? tag_rules_find(image->tag_rules, template) : NULL;
    if (rule && tag_rule_is_dated(rule))
        list_add(&image->arena, &image->dated, tag);
    else if (rule && rule->is_immutable)
        list_add(&image->arena, &image->immutable, tag);
}

/* Tags that have a date and are kept for a while are of this digest alone: the next one may have the same date. */
static void mark_dated(struct batch_image *image)
{
    for (size_t i = 0; i < image->tags.count; i++) {
        if (strings_has(&image->dated, image->tags.items[i]))
            image->tags.items[i] = stamp_tag(&image->arena, image->tags.items[i], &image->index.digest);
    }
}

/* Tags of the index; templates with {arch} are tags of one platform each, in the registry only. */
static bool expand_tags(struct batch_image *image, const struct oci_facts *facts, struct err *err)
{
    struct publication *publication = &image->publication;
    for (size_t i = 0; i < image->templates.count; i++) {
        const char *template = image->templates.items[i], *tag;
        if (!strstr(template, "{arch}")) {
            if (!expand_tag(image, template, facts, &tag, err))
                return false;
            if (!strings_has(&image->tags, tag))
                list_add(&image->arena, &image->tags, tag);
            note_rule(image, template, tag);
            continue;
        }
        for (size_t j = 0; j < image->arch_count; j++) {
            const struct job *job = &image->jobs[j];
            bool is_floating;
            if (!job->is_good) /* what the registry has for it keeps the tags that it has */
                continue;
            if (!expand_tag(image, template, &job->bill.facts, &tag, err) ||
                !floats(image, template, &job->bill.facts, &is_floating, err))
                return false;
            note_rule(image, template, tag);
            list_add(&image->arena, &publication->platform_tags,
                     (struct push_platform_tag){job->image.manifest.digest, tag, is_floating});
        }
    }
    if (!image->tags.count)
        list_add(&image->arena, &image->tags, "latest");
    return true;
}

/* What is to be said beside the same image in its second compression. */
static struct bill second_bill(const struct bill *bill)
{
    struct bill second = *bill;
    second.manifest = bill->second;
    second.layers = bill->second_layers;
    second.second = (struct digest){0};
    second.second_layers = (struct bill_layers){0};
    return second;
}

/* Adds a bill, and keeps it in the cache; false when it is too big. */
static bool add_bill(struct arena *arena, const struct plant *plant, const struct bill *bill,
                     struct layout_beside *ret_beside)
{
    ret_beside->about = bill->manifest;
    if (!bill_text(arena, bill, &ret_beside->bytes))
        return false;
    bill_keep(plant->store, &bill->manifest, ret_beside->bytes);
    return true;
}

/* The bills of all architectures, for the layout; the cache keeps them, too. What is too big is not worth an image. */
static struct layout_beside *list_bills(struct arena *arena, const struct batch_image *image, const struct plant *plant,
                                        size_t *ret_count)
{
    struct layout_beside *bills =
        arena_new_array(arena, struct layout_beside, image->arch_count * LAYER_COMPRESSIONS_MAX);
    *ret_count = 0;
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &image->jobs[i];
        if (!job->is_good)
            continue;
        if (!add_bill(arena, plant, &job->bill, &bills[*ret_count])) {
            log_line(plant->log, LOG_QUIET,
                     "warning: %s for %s: its bill is bigger than bills may be, and is not written",
                     image->manifest->name, job->arch->name);
            continue;
        }
        ++*ret_count;
        struct bill second = second_bill(&job->bill);
        *ret_count += job->image.second && add_bill(arena, plant, &second, &bills[*ret_count]);
    }
    return bills;
}

/* An image that only its children asked for need not be in the output: there its tags stay at one with more platforms. */
static bool leave_layout(const struct batch_image *image, struct log *log, struct err *err)
{
    if (!image->is_implied || !image->loss.lost.count)
        return false;
    log_line(log, LOG_NORMAL, "%s is left as it is: %s", image->layout, err->text);
    err_clear(err);
    return true;
}

/* Returns whether the run leaves no images: it answers a question about them. */
static bool is_question(const struct run_options *options)
{
    return options->explained || options->is_dry_run;
}

/* An image that is held goes nowhere, and needs nothing of the registry. */
static bool wants_previous(const struct batch_image *image)
{
    return image->is_partial && !image->is_held && image->together.on_missing == MISSING_PREVIOUS;
}

/* What goes out without an architecture, as it was asked to, may take that from its tags. */
static bool may_lose_platforms(const struct batch_image *image, const struct plant *plant)
{
    return plant->options->push_policy.may_lose_platforms ||
           (image->is_partial && image->together.on_missing == MISSING_PUBLISH);
}

/* Writes it to its layout, with its bills. */
static bool write_layout(struct batch_image *image, struct plant *plant, const struct image *const *images,
                         size_t count, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct layout_request request = {
        .dir = image->layout,
        .name = image->destination ? image->destination : arena_printf(&scratch, "localhost/%s", image->manifest->name),
        .store = plant->store,
        .images = images,
        .image_count = count,
        .index = &image->index,
        .tags = &image->tags,
        .wait = plant->options->wait,
        .arena = &image->arena};
    request.may_lack_layers = image->publication.are_blobs_there = assembly_is_bare(plant);
    if (!may_lose_platforms(image, plant))
        request.ret_loss = &image->loss;
    request.beside = list_bills(&scratch, image, plant, &request.beside_count);
    changes_read(image, plant);
    image->has_layout = layout_write(&request, &image->is_unchanged, err);
    return image->has_layout || leave_layout(image, plant->log, err);
}

/* IMAGE: the index, once every architecture is there. */
static bool assemble(struct batch_image *image, struct plant *plant, struct err *err)
{
    const struct image **images =
        arena_new_array(&image->arena, const struct image *, image->arch_count *LAYER_COMPRESSIONS_MAX);
    struct oci_facts facts = missing_first_good(image)->bill.facts;
    facts.arch = NULL; /* index and tags are of no single architecture */
    facts.record = plant->options->record;
    image->layout = arena_printf(&image->arena, "%s/%s", plant->options->output_dir, image->manifest->name);
    if (!expand_tags(image, &facts, err) || (wants_previous(image) && !missing_keep(image, plant, err)))
        return false;
    size_t count = missing_list_made(image, images);
    if (!oci_build_index(&image->arena, image->manifest, &facts, images, count, &image->index, err))
        return false;
    mark_dated(image);
    return true;
}

static void warn_of_differing_versions(const struct batch_image *image, struct log *log)
{
    const struct job *first = missing_first_good(image);
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &image->jobs[i];
        const char *a = first->bill.facts.full_version, *b = job->bill.facts.full_version;
        if (job->is_good && a && b && strcmp(a, b) != 0)
            log_line(log, LOG_QUIET, "warning: %s is version %s for %s but %s for %s", image->manifest->name, a,
                     first->arch->name, b, job->arch->name);
    }
}

/* What the guard of a push asks with. */
struct seen_question {
    const struct plant *plant;
    struct batch_image *image;
};

static bool is_newer(void *context, const struct digest *there)
{
    const struct seen_question *question = context;
    struct batch_image *image = question->image;
    image->newer = status_seen_newer(question->plant->seen, question->plant, image, there, &image->newer_by);
    return image->newer;
}

static void tell_of_newer(const struct batch_image *image, struct log *log)
{
    const struct status_newer *by = &image->newer_by;
    log_line(log, LOG_QUIET,
             "warning: %s: the tags in %s stay at sha256:%s, which another night made of newer repositories (%s of %s "
             "there, of %s here); imgfactory push moves them all the same",
             image->manifest->name, image->destination, digest_hex(&image->newer->digest).chars, by->name,
             date_print(by->there).chars, date_print(by->ours).chars);
}

static bool publish_whole(struct batch_image *image, struct plant *plant, struct err *err)
{
    struct publication *publication = &image->publication;
    struct seen_question question = {plant, image};
    const struct push_guard guard = {is_newer, &question};
    publication->layout = image->layout;
    publication->layout_tag = image->tags.items[0];
    publication->wait = plant->options->wait;
    publication->policy = plant->options->push_policy;
    publication->policy.may_lose_platforms = may_lose_platforms(image, plant);
    publication->policy.is_stamped = image->is_stamped;
    publication->policy.immutable = &image->immutable;
    publication->destination = image->destination;
    publication->tags = image->tags;
    if (!image->destination)
        return true;
    if (plant->options->is_history_pushed && !published_attach(image, plant, err))
        return false;
    const struct signers *signers = image->signers ? image->signers : plant->options->signers;
    struct attest attest = plant->options->attest ? *plant->options->attest : (struct attest){0};
    attest.store = plant->store;
    attest.signers = signers;
    const struct attach_giver givers[] = {{attest_give, &attest}, {sign_image, (void *)(uintptr_t)signers}};
    size_t first = attest.kinds ? 0 : 1, last = signers ? 2 : 1;
    publication->givers = (struct attach_givers){givers + first, last - first};
    publication->guard = plant->seen ? &guard : NULL;
    bool is_good = publish_layout(&image->arena, plant->options->registry, plant->http, publication, err);
    publication->guard = NULL;
    publication->givers = (struct attach_givers){0};
    if (!is_good) {
        err_wrap(err, "push to %s", image->destination);
        return false;
    }
    if (image->newer) {
        tell_of_newer(image, plant->log);
        return true;
    }
    changes_read_replaced(image, plant);
    log_line(plant->log, LOG_NORMAL, "%s: %s in %s", image->manifest->name,
             publication->result.is_unchanged ? "unchanged" : "pushed", image->destination);
    return true;
}

/* Publishes what was put together of a plan, unless a newer one was there before. */
static bool publish_assembled(struct batch_image *image, struct plant *plant, struct err *err)
{
    bool is_late;
    if (!assembly_begin(image, plant, &is_late, err))
        return false;
    return is_late || (publish_whole(image, plant, err) && (image->newer || assembly_end(image, plant, err)));
}

/* PUBLISH, when the image has a destination. */
static bool publish(struct batch_image *image, struct plant *plant, struct err *err)
{
    if (image->places.count && parts_are_made(plant))
        return parts_publish(image, plant, err);
    if (image->destination && assembly_is_meant(plant))
        return publish_assembled(image, plant, err);
    return publish_whole(image, plant, err);
}

/* Says what to do when a tag would have lost platforms. */
static void advise(struct batch_image *image, const struct plant *plant)
{
    const struct run_options *options = plant->options;
    const struct platforms_loss *loss = image->loss.lost.count ? &image->loss : &image->publication.result.loss;
    struct fewer_call call = {"imgfactory", options->call_options, options->call_arch, image->word};
    fewer_advise(options->arches, loss, &call, options->call_options, image->word, &image->err);
}

/* Tells why an image whose orders are good is not there. */
static void tell_failure(struct batch_image *image, struct plant *plant)
{
    advise(image, plant);
    err_wrap(&image->err, "image %s", image->manifest->name);
    log_line(plant->log, LOG_QUIET, "error: %s", image->err.text);
}

/* Nobody touches the image any more. */
static void end_image(struct batch_image *image, const struct shift *shift)
{
    image->seconds = clock_seconds() - shift->start;
    image->ended = clock_date();
    atomic_store(&image->is_ended, true);
}

static void *publishing_thread(void *argument)
{
    struct publishing *publishing = argument;
    struct shift *shift = publishing->shift;
    struct batch_image *image = publishing->image;
    image->is_good = publish(image, shift->plant, &image->err);
    if (!image->is_good)
        tell_failure(image, shift->plant);
    end_image(image, shift);
    pthread_mutex_lock(&shift->lock);
    shift->publishing_running--;
    shift->running_count--;
    pthread_cond_broadcast(&shift->ended);
    pthread_mutex_unlock(&shift->lock);
    return NULL;
}

/* Starts a thread that pushes the image, so that all that are built are asked for together while orders go on. False when
 * there are enough of them, or none can be started. */
static bool start_publishing(struct batch_image *image, struct shift *shift)
{
    pthread_mutex_lock(&shift->lock);
    struct publishing *publishing = &shift->publishing[shift->publishing_count];
    *publishing = (struct publishing){.shift = shift, .image = image};
    bool is_started = image->destination && !shift->has_few_descriptors && shift->publishing_running < MAX_PUBLISHING &&
                      pthread_create(&publishing->thread, NULL, publishing_thread, publishing) == 0;
    shift->publishing_count += is_started;
    shift->publishing_running += is_started;
    shift->running_count += is_started;
    pthread_mutex_unlock(&shift->lock);
    return is_started;
}

/* Lets the orders begin that stand on an image: what it is, or why it is not, is known. */
static void release_children(struct batch_image *base, struct shift *shift)
{
    const struct push_result *there = &base->publication.result;
    const struct digest unknown = {{0}}, elsewhere = there->is_left ? unknown : there->digest;
    for (size_t i = 0; i < shift->count; i++) {
        struct job *job = shift->jobs[i];
        if (shift->images[i]->base != base)
            continue;
        struct made_base *made = job->made_base;
        *made = (struct made_base){.name = base->manifest->name,
                                   .is_built = base->is_built,
                                   .is_elsewhere = base->is_elsewhere,
                                   .err = base->err,
                                   .digest = base->is_elsewhere ? elsewhere : base->index.digest};
        for (size_t j = 0; j < base->arch_count; j++) {
            if (base->arches[j] != job->arch)
                continue;
            made->image = &base->jobs[j].image;
            made->is_elsewhere = made->is_elsewhere || base->jobs[j].is_adopted;
            if (base->is_partial && !base->jobs[j].is_good) { /* others of it went out */
                made->is_built = false;
                made->err = base->jobs[j].err;
            }
        }
    }
    steps_open(&shift->steps, (size_t)(base - shift->first));
}

/* Writes what was put together into the archive of the run, or to its layout. */
static bool write_image(struct batch_image *image, struct plant *plant, struct err *err)
{
    const struct image **images =
        arena_new_array(&image->arena, const struct image *, image->arch_count *LAYER_COMPRESSIONS_MAX);
    size_t bill_count, count = missing_list_made(image, images);
    if (!plant->options->archive)
        return write_layout(image, plant, images, count, err);
    (void)list_bills(&image->arena, image, plant, &bill_count); /* the cache keeps them */
    return archived_write(image, plant, images, count, err);
}

/* Writes it, or tells why it is not there. */
static void write_out(struct batch_image *image, struct plant *plant)
{
    image->is_built = !plant_is_cancelled(plant, &image->err) && write_image(image, plant, &image->err);
    if (!image->is_built)
        tell_failure(image, plant);
}

/* Makes the index when all orders are good, or the image goes out otherwise. Returns whether it is to be written: what only answers a
 * question, or is held, goes nowhere. */
static bool put_together(struct batch_image *image, struct plant *plant)
{
    if (!missing_settle(image, plant))
        return false;
    if (parts_are_made(plant)) {
        image->is_built = !plant_is_cancelled(plant, &image->err);
        image->is_good = image->is_built && !image->places.count; /* a dry run */
        return false;
    }
    bool is_compared = together_compare(image, plant, &image->err);
    image->is_good = is_compared && (!image->arch_count || !job_is_described(&image->jobs[0]));
    if (image->is_good)
        return false;
    image->is_built = is_compared && !plant_is_cancelled(plant, &image->err) && assemble(image, plant, &image->err);
    bool is_for_others = image->is_implied && assembly_is_meant(plant); /* whose own layers have it */
    image->is_good = (is_question(plant->options) || image->is_held || is_for_others) && image->is_built;
    if (!image->is_built)
        tell_failure(image, plant);
    else if (!image->lags.count)
        warn_of_differing_versions(image, plant->log);
    if (image->is_built && !image->is_held)
        missing_log(image, plant->log);
    return image->is_built && !image->is_good;
}

/* Whether the parts of the image are not there since another run put it together: then nothing is left to do. */
static bool are_parts_gone(struct batch_image *image, struct plant *plant)
{
    bool is_any_absent = false;
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &image->jobs[i];
        is_any_absent = is_any_absent || (job->gathered_from && !job->is_good && job->err.kind == ERR_PUBLISH);
    }
    if (!is_any_absent || !assembly_was_done(image, plant))
        return false;
    for (size_t i = 0; i < image->arch_count; i++)
        job_done(&image->jobs[i]);
    image->arch_count = 0;
    image->is_good = true;
    return true;
}

/* Whether the error of a job was printed before, of another one of the image: one base fails all. */
static bool is_told(struct shift *shift, struct batch_image *image, const struct job *job)
{
    pthread_mutex_lock(&shift->lock);
    bool is_told = image->told && strcmp(image->told, job->err.text) == 0;
    image->told = image->told ? image->told : job->err.text;
    pthread_mutex_unlock(&shift->lock);
    return is_told;
}

static void report_job(struct shift *shift, struct batch_image *of, const struct job *job)
{
    struct log *log = shift->plant->log;
    const char *image = job->manifest->name, *arch = job->arch->name;
    if (!job->is_good && is_told(shift, of, job))
        return;
    if (!job->is_good)
        log_line(log, LOG_QUIET, "error: %s", job->err.text);
    else if (job->plant->options->explained)
        return;
    else if (job->is_reused)
        log_line(log, LOG_NORMAL, "%s %s: nothing changed (%.2f s)", image, arch, job->seconds);
    else if (job->bill.layers.count)
        log_line(log, LOG_NORMAL, "%s %s: %zu files from %zu packages, %.1f MB, layer %.1f MB (%.2f s)", image, arch,
                 job->bill.file_count, job->bill.package_count, (double)job->bill.unpacked_bytes / 1e6,
                 (double)bill_layer_bytes(&job->bill) / 1e6, job->seconds);
}

/* Whether an order failed that only what stands on the image misses, and tells: that may have been put together before. */
static bool is_missed_by_others(const struct batch_image *image, const struct job *job)
{
    return image->is_implied && job->err.kind == ERR_PUBLISH;
}

/* Tells which parts of an image are not there, or not right. */
static void report_gathered(struct batch_image *image, struct shift *shift)
{
    for (size_t i = 0; i < image->arch_count; i++) {
        const struct job *job = &image->jobs[i];
        if (job->gathered_from && !job->is_good && !is_missed_by_others(image, job))
            report_job(shift, image, job);
    }
}

/* Pushes what is built, on a thread of its own where there may be one, and ends the image. */
static void send_out(struct batch_image *image, struct shift *shift)
{
    bool is_to_publish = image->is_built && !image->is_good;
    if (is_to_publish && start_publishing(image, shift))
        return;
    if (is_to_publish) {
        image->is_good = publish(image, shift->plant, &image->err);
        if (!image->is_good)
            tell_failure(image, shift->plant);
    }
    end_image(image, shift);
}

/* Notes an image that is put together, and goes out when all are. */
static void let_wait(struct batch_image *image, struct shift *shift)
{
    pthread_mutex_lock(&shift->lock);
    shift->waiting[shift->waiting_count++] = image;
    pthread_mutex_unlock(&shift->lock);
}

/* Of an image that nobody asked for and that is not there whole only the error is left, for what stands on it. */
static void rest(struct batch_image *image, const struct plant *plant)
{
    if (!image->is_implied || !assembly_is_meant(plant) || image->err.kind != ERR_PUBLISH)
        return;
    image->is_good = image->is_unchanged = true;
    for (size_t i = 0; i < image->arch_count; i++)
        job_done(&image->jobs[i]);
    image->arch_count = 0;
}

/* Ends the orders of an image: by the thread that ended the last of them. */
static void finish(struct batch_image *image, struct shift *shift)
{
    struct plant *plant = shift->plant;
    bool is_to_write = false;
    if (!plant->options->explained)
        image_notes_log(image, plant->log);
    if (!are_parts_gone(image, plant)) {
        report_gathered(image, shift);
        is_to_write = put_together(image, plant);
        rest(image, plant);
    }
    bool is_waiting = is_to_write && shift->is_waiting_for_all;
    if (is_waiting)
        let_wait(image, shift); /* before any that stands on it */
    else if (is_to_write)
        write_out(image, plant);
    release_children(image, shift);
    if (!is_waiting)
        send_out(image, shift);
}

/* The first image of which the lock does not say what is so; NULL: there is none. */
static const struct batch_image *find_untrue(const struct shift *shift)
{
    for (size_t i = 0; i < shift->image_count; i++) {
        const struct batch_image *image = &shift->first[i];
        if (!image->is_built && image->err.kind == ERR_TRUST)
            return image;
        for (size_t j = 0; j < image->arch_count; j++) {
            if (!image->jobs[j].is_good && image->jobs[j].err.kind == ERR_TRUST)
                return image;
        }
    }
    return NULL;
}

/* Refuses what waits, since the lock is not to be trusted. */
static void refuse_waiting(struct shift *shift, const struct batch_image *untrue)
{
    const char *place = shift->plant->options->pins->place;
    for (size_t i = 0; i < shift->waiting_count; i++) {
        struct batch_image *image = shift->waiting[i];
        image->is_built = false;
        err_clear(&image->err);
        err_set(&image->err, ERR_TRUST, "image %s: nothing is taken of %s, which fails for %s", image->manifest->name,
                place, untrue->manifest->name);
        end_image(image, shift);
    }
    if (shift->waiting_count)
        log_line(shift->plant->log, LOG_QUIET,
                 "error: nothing of %s goes out, since it fails for %s: no layout is written and no tag moves (%zu "
                 "more image%s)",
                 place, untrue->manifest->name, shift->waiting_count, shift->waiting_count == 1 ? "" : "s");
}

/* What stands on an image that could not be written goes nowhere. */
static void fail_with_base(struct batch_image *image, struct plant *plant)
{
    image->is_built = false;
    image->err = image->base->err;
    err_wrap(&image->err, "its base failed");
    tell_failure(image, plant);
}

/* Once all orders have ended: lets out what waits, unless the lock lied of any of them. Bases come before what stands on them. */
static void let_out(struct shift *shift)
{
    if (!shift->is_waiting_for_all)
        return;
    const struct batch_image *untrue = find_untrue(shift);
    if (untrue) {
        refuse_waiting(shift, untrue);
        return;
    }
    for (size_t i = 0; i < shift->waiting_count; i++) {
        struct batch_image *image = shift->waiting[i];
        if (image->base && !image->base->is_built)
            fail_with_base(image, shift->plant);
        else
            write_out(image, shift->plant);
        send_out(image, shift);
    }
}

/* An order is done; its image is when the others are. */
static void end_order(struct shift *shift, size_t index)
{
    struct batch_image *image = shift->images[index];
    if (shift->jobs[index]->is_good ||
        !shift->jobs[index]->gathered_from) /* whether that is an error the image tells */
        report_job(shift, image, shift->jobs[index]);
    if (atomic_fetch_sub(&image->pending, 1) == 1)
        finish(image, shift);
}

static void work_orders(struct shift *shift)
{
    struct step step;
    while (steps_take(&shift->steps, &step)) {
        struct job *job = shift->jobs[step.order];
        job->plant = shift->plant;
        if (step.is_packing)
            job_pack(job);
        else
            job_tree(job);
        bool is_done = !job->is_to_pack; /* once it is told, another thread may go on with the job */
        if (!step.is_packing)
            steps_tree_done(&shift->steps, step.order, !is_done);
        if (is_done)
            end_order(shift, step.order);
    }
}

static void *order_thread(void *argument)
{
    struct shift *shift = argument;
    work_orders(shift);
    pthread_mutex_lock(&shift->lock);
    bool is_last = --shift->order_threads == 0;
    pthread_mutex_unlock(&shift->lock);
    if (is_last)
        let_out(shift);
    pthread_mutex_lock(&shift->lock);
    shift->running_count--;
    pthread_cond_broadcast(&shift->ended);
    pthread_mutex_unlock(&shift->lock);
    return NULL;
}

/* Waits for the end of all threads; after a signal not for long. Returns whether all ended. */
static bool wait_for_end(struct shift *shift)
{
    double cancelled = 0;
    struct err ignored = {0};
    pthread_mutex_lock(&shift->lock);
    while (shift->running_count && (cancelled == 0 || clock_seconds() - cancelled < GRACE_S)) {
        clock_wait_ms(&shift->ended, &shift->lock, LOOK_MS);
        if (cancelled == 0 && plant_is_cancelled(shift->plant, &ignored))
            cancelled = clock_seconds();
    }
    bool is_ended = !shift->running_count;
    pthread_mutex_unlock(&shift->lock);
    return is_ended;
}

/* What is reported of an image that threads are still at work on: nothing of what they may be changing. */
static void stand_in(struct batch *batch, const struct batch_image *image, double seconds,
                     struct batch_image *ret_image)
{
    *ret_image = (struct batch_image){.manifest = image->manifest,
                                      .source = image->source,
                                      .arches = image->arches,
                                      .arch_count = image->arch_count,
                                      .destination = image->destination,
                                      .seconds = seconds};
    err_set(&ret_image->err, ERR_CANCELLED, "image %s: interrupted", image->manifest->name);
    ret_image->jobs = arena_new_array(&batch->arena, struct job, image->arch_count);
    for (size_t i = 0; i < image->arch_count; i++) {
        struct job *job = &ret_image->jobs[i];
        *job = (struct job){
            .manifest = image->manifest, .source = image->source, .arch = image->arches[i], .seconds = seconds};
        err_set(&job->err, ERR_CANCELLED, "image %s for %s: interrupted", image->manifest->name, job->arch->name);
    }
}

/* Leaves the threads to themselves: what the batch shows from now on is what they cannot change. */
static void abandon(struct batch *batch, const struct shift *shift)
{
    struct batch_image *shown = arena_new_array(&batch->arena, struct batch_image, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        if (atomic_load(&batch->images[i].is_ended))
            memcpy(&shown[i], &batch->images[i], sizeof shown[i]);
        else
            stand_in(batch, &batch->images[i], clock_seconds() - shift->start, &shown[i]);
    }
    batch->images = shown;
    batch->is_abandoned = true;
}

/* Lists the orders. Each is a group of its own: the one layer of an image is made of its own tree, so no other tree is
 * waited for. Where layers are to be shared, the orders that share them get one number. */
static void shift_init(struct shift *shift, struct batch *batch)
{
    pthread_mutex_init(&shift->lock, NULL);
    clock_cond_init(&shift->ended);
    shift->jobs = arena_new_array(&batch->arena, struct job *, shift->count);
    shift->publishing = arena_new_array(&batch->arena, struct publishing, shift->count + 1);
    shift->images = arena_new_array(&batch->arena, struct batch_image *, shift->count);
    size_t *groups = arena_new_array(&batch->arena, size_t, shift->count);
    size_t index = 0;
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_image *image = &batch->images[i];
        atomic_store(&image->pending, image->arch_count);
        for (size_t j = 0; j < image->arch_count; j++, index++) {
            shift->jobs[index] = &image->jobs[j];
            image->jobs[j].gathered_from =
                assembly_is_meant(shift->plant) && image->places.count ? &image->places : NULL;
            shift->images[index] = image;
            groups[index] = index;
        }
    }
    steps_init(&batch->arena, groups, shift->count, &shift->steps);
    shift->first = batch->images;
    shift->image_count = batch->count;
    shift->waiting = arena_new_array(&batch->arena, struct batch_image *, batch->count + 1);
    shift->is_waiting_for_all =
        shift->plant->options->lock && !parts_are_made(shift->plant) && !assembly_is_meant(shift->plant);
    for (size_t i = 0; i < shift->count; i++) {
        if (shift->images[i]->base)
            steps_wait_for(&shift->steps, i, (size_t)(shift->images[i]->base - batch->images));
    }
}

static bool has_few_descriptors(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MANY_DESCRIPTORS;
}

bool batch_run(struct batch *batch, struct plant *plant, struct err *err)
{
    struct shift *shift = arena_new(&batch->arena, struct shift); /* threads that are left alone still use it */
    *shift = (struct shift){.plant = plant,
                            .count = batch->progress.count - batch->count, /* the rest are pushes */
                            .start = clock_seconds(),
                            .has_few_descriptors = has_few_descriptors()};
    shift_init(shift, batch);
    pthread_t threads[MAX_ORDER_THREADS];
    size_t started = 0, most = shift->has_few_descriptors ? 1 : MAX_ORDER_THREADS,
           wanted = shift->count < most ? shift->count : most;
    int failed = 0;
    pthread_mutex_lock(&shift->lock);
    while (started < wanted && !failed) {
        failed = pthread_create(&threads[started], NULL, order_thread, shift);
        started += !failed;
    }
    shift->running_count = shift->order_threads = started;
    pthread_mutex_unlock(&shift->lock);
    if (!wait_for_end(shift)) {
        abandon(batch, shift);
        return true;
    }
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < shift->publishing_count; i++)
        pthread_join(shift->publishing[i].thread, NULL);
    if (!started && failed)
        err_set_errno(err, failed, "cannot start a thread");
    return started || !wanted;
}

enum err_kind batch_outcome(const struct batch *batch)
{
    enum err_kind worst = ERR_NONE;
    size_t good = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        good += image->is_good && !image->is_implied;
        if (!image->is_good && err_kind_is_graver(image->err.kind, worst))
            worst = image->err.kind;
        if (worst == ERR_NONE && together_is_partly(image))
            worst = ERR_PARTLY;
    }
    if (worst == ERR_NONE && batch->record.reference && !batch->record.is_good)
        return batch->record.err.kind;
    for (size_t i = 0; worst == ERR_NONE && i < batch->pruning_count; i++) {
        if (!batch->prunings[i].is_good)
            return batch->prunings[i].err.kind;
    }
    return good && worst != ERR_NONE && worst != ERR_CANCELLED ? ERR_PARTLY : worst;
}

void batch_done(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < batch->images[i].arch_count; j++)
            job_done(&batch->images[i].jobs[j]);
        for (size_t j = 0; batch->images[i].set_aside && j < batch->images[i].arch_count; j++)
            job_done(&batch->images[i].set_aside[j]);
        arena_done(&batch->images[i].arena);
    }
    for (size_t i = 0; i < batch->pruning_count; i++)
        pruning_done(&batch->prunings[i]);
    arena_done(&batch->arena);
}
