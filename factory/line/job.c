/* SPDX-License-Identifier: Apache-2.0 */
/* The order's way through the factory. make_tree() and make_image() read like the flow in factory/README.md. */
#include "line/job.h"

#include "base/auto.h"
#include "base/clock.h"
#include "line/gather.h"
#include "line/kept.h"
#include "line/layering.h"
#include "line/locked.h"
#include "line/missing.h"
#include "line/pack.h"
#include "line/stages.h"
#include "package/path.h"
#include "source/format.h"

static void log_openers(struct job *job)
{
    for (size_t i = 0; i < job->bill.openers.count; i++) {
        const struct opener *opener = &job->bill.openers.items[i];
        log_line(job->plant->log, LOG_VERBOSE, "%s %s: note: %s opens files at run time%s%s%s%s", job->manifest->name,
                 job->arch->name, opener->path,
                 opener->absent.count ? " that are not in the image: " : " by names of its own",
                 strings_join(&job->arena, &opener->absent, ", "), opener->feature ? "; feature " : "",
                 opener->feature ? opener->feature : "");
    }
}

static struct order order_of(struct job *job, struct arena *scratch)
{
    job->hold.arena = &job->arena;
    return (struct order){.plant = job->plant,
                          .manifest = job->manifest,
                          .arch = job->arch,
                          .limits = job->limits,
                          .is_selected_only = job_is_selected_only(job),
                          .progress = job->progress,
                          .arena = scratch,
                          .hold = &job->hold,
                          .standing = job->standing};
}

struct exporting {
    const struct order *order;
    const struct tree *tree;
};

static bool export_tree(void *argument, struct err *err)
{
    const struct exporting *exporting = argument;
    const struct order *order = exporting->order;
    return tree_export(exporting->tree, order->plant->options->tree_dir, order->manifest->name, order->arch->name, err);
}

/* TREE, PROOF. The tree for people is written before the verdict: it shows what is wrong. */
static bool build(const struct order *order, struct closed *closed, struct built *built, struct job *job,
                  struct err *err)
{
    const struct run_options *options = order->plant->options;
    struct exporting exporting = {order, &built->tree};
    struct proof proof;
    bool is_checked = !order->plant->inputs.is_no_check;
    if (!build_tree(order, closed, built, err) || (is_checked && !prove_built(order, closed, built, &proof, err)) ||
        (options->tree_dir && !order_compute(order, export_tree, &exporting, err)))
        return false;
    if (!is_checked)
        return true;
    if (!prove_good(order, closed, built, &proof, err))
        return false;
    note_proof(&proof, &job->arena, &job->bill);
    for (size_t i = 0; i < job->bill.proof->notes.count; i++)
        order_log(order, LOG_VERBOSE, "note: %s", job->bill.proof->notes.items[i]);
    return true;
}

static bool open_ground(void *argument, struct err *err)
{
    struct job *job = argument;
    return standing_open(job->plant, job->standing, &job->ground, err);
}

/* Gives the order the files of its base, if it has one. */
static bool open_base(struct job *job, struct order *order, struct err *err)
{
    if (!job->standing)
        return true;
    if (!standing_fetch(job->plant, job->standing, err) || !order_compute(order, open_ground, job, err))
        return false;
    order->ground = &job->ground;
    order->given = ground_package(order->arena, &job->ground);
    return true;
}

/* What the image stands on, as this run found it; NULL: on nothing. */
static const struct bill_base *note_base(struct job *job)
{
    const struct standing *standing = job->standing;
    if (!standing)
        return NULL;
    struct bill_base *base = arena_new(&job->arena, struct bill_base);
    *base = (struct bill_base){.name = standing->base.name ? standing->base.name : standing->written,
                               .written = job->made_base ? NULL : job->manifest->base,
                               .digest = standing->base.digest,
                               .manifest = standing->manifest,
                               .layer_count = standing->base.layers.count,
                               .is_unsigned = standing->is_unsigned};
    if (standing->has_moved)
        base->moved_from = standing->before;
    return base;
}

/* What a bill tells of this run, wherever the rest of it comes from. */
static void name_bill(struct job *job)
{
    job->bill.facts.name = job->manifest->name;
    job->bill.facts.arch = job->arch->name;
    job->bill.named = job->manifest->named;
    struct bill_source *source = bill_source_of(&job->arena, job->origins);
    source->name = path_basename(source->name); /* a bill goes where the image goes: no folder of this machine */
    job->bill.source = source;
    job->bill.base = note_base(job);
}

/* Those of the same product in zstd:chunked: the configuration, which tells of plain tars, is the very same. */
static bool describe_second(struct job *job, struct err *err)
{
    struct image *second = arena_new(&job->arena, struct image);
    if (!job->bill.second_layers.count)
        return true;
    *second = (struct image){.arch = job->arch, .base = job->image.base};
    for (size_t i = 0; i < job->bill.second_layers.count; i++)
        list_add(&job->arena, &second->layers, job->bill.second_layers.items[i].layer);
    if (!oci_build_image(&job->arena, job->manifest, &job->bill.process, &job->bill.facts, second, err))
        return false;
    job->bill.second = second->manifest.digest;
    job->image.second = second;
    return true;
}

/* The documents of a finished product. */
static bool describe(struct job *job, struct err *err)
{
    job->image = (struct image){.arch = job->arch,
                                .base = job->standing ? &job->standing->base : NULL,
                                .layers = bill_layers(&job->arena, &job->bill)};
    if (!oci_build_image(&job->arena, job->manifest, &job->bill.process, &job->bill.facts, &job->image, err) ||
        !describe_second(job, err))
        return false;
    job->bill.manifest = job->image.manifest.digest;
    job->bill.config = job->image.config.digest;
    return true;
}

bool job_is_selected_only(const struct job *job)
{
    return job->plant->options->is_dry_run && !job->is_filled;
}

bool job_is_described(const struct job *job)
{
    const struct run_options *options = job->plant->options;
    return options->is_dry_run ? job->is_filled : !options->explained || job->is_base;
}

/* What is left to do once there is a product: made, or found. */
static bool make_image(struct job *job, struct err *err)
{
    if (job->plant->options->explained && !job->is_base)
        return true;
    log_openers(job);
    return !job_is_described(job) || describe(job, err);
}

/* Refuses to install where the format cannot, before anything of a base is fetched for it. */
static bool check_installable(const struct order *order, struct err *err)
{
    const struct format *format = order->catalog->origins.source->format;
    if (!manifest_fills(order->manifest) || format->installed_read)
        return true;
    err_set(
        err, ERR_USAGE,
        "%s: packages of the kind %s cannot be installed with `packages: install` on a base, or with `complete`, yet; "
        "without them a base gets the files that it lacks",
        order->manifest->path, format->name);
    return false;
}

/* Reads which packages are there already, when others are to be installed. */
static bool read_installed(void *argument, struct err *err)
{
    struct order *order = argument;
    const struct format *format = order->catalog->origins.source->format;
    struct installed *installed = arena_new(order->arena, struct installed);
    bool is_found = false;
    if (!format->installed_read(order->arena, order->ground, installed, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_RESOLVE,
                "the base has no list of %s packages, so that nothing can be installed on it with `packages: install`",
                format->name);
    installed->format = format;
    order->installed = installed;
    order->hold->is_recorded = true;
    return is_found;
}

/* Gives the order what it stands on. */
static bool stand(struct job *job, struct order *order, struct err *err)
{
    if (!check_installable(order, err))
        return false;
    return open_base(job, order, err) &&
           (!manifest_fills(job->manifest) || order_compute(order, read_installed, order, err));
}

/* What explain.h needs to look into packages that the image did not need. */
struct rest {
    const struct order *order;
    struct closed *closed; /* all zeros when the product was there already */
};

static bool open_rest(void *self, struct explain_packages *ret_packages, struct err *err)
{
    const struct rest *rest = self;
    struct opened *opened = &rest->closed->opened;
    if ((!opened->packages && !select_files(rest->order, rest->closed, err)) ||
        !select_open_all(rest->order, rest->closed, err))
        return false;
    *ret_packages = (struct explain_packages){opened->packages, opened->selection.count};
    return true;
}

static const char *find_given(void *self, struct arena *arena, const char *path)
{
    const struct rest *rest = self;
    const char *place;
    return ground_walk(rest->order->ground, arena, path, &place) ? place : NULL;
}

static bool explain(struct job *job, struct order *order, struct closed *closed, struct err *err)
{
    struct rest rest = {order, closed};
    bool is_stood = closed->opened.packages != NULL; /* else the product was there already */
    if (!is_stood && !stand(job, order, err))
        return false;
    struct explain_request request = {.paths = order->plant->options->explained,
                                      .bill = &job->bill,
                                      .catalog = order->catalog,
                                      .base = order->ground ? order->ground->package : NULL,
                                      .find_given = find_given,
                                      .open_all = open_rest,
                                      .self = &rest};
    return explain_find(&job->arena, &request, &job->answers, err);
}

/* RESOLVE to PROOF. */
static bool make_tree(struct job *job, struct order *order, struct closed *closed, struct err *err)
{
    struct built built = {0};
    bool is_selected_only = job_is_selected_only(job);
    if (!stand(job, order, err) || !select_files(order, closed, err) ||
        (!is_selected_only && !build(order, closed, &built, job, err)))
        return false;
    note_wishes(job->manifest, is_selected_only ? &closed->asked.wishes : &built.wishes, &job->arena, &job->bill);
    note_selection(closed, &built, &job->arena, &job->bill);
    if (is_selected_only)
        return true;
    note_tree(closed, &built, &job->arena, &job->bill);
    if (job->standing)
        job->bill.process = oci_base_inherit(&job->arena, &job->standing->base, &job->bill.process);
    tree_copy_lasting(&job->tree_arena, &built.tree, &job->tree);
    job->is_to_pack = !layering_is_first(job);
    return true;
}

/* Finds what the image stands on; a dry run only selects, and does without unless that depends on it. */
static bool find_base(struct job *job, struct err *err)
{
    if (!job->manifest->base || (job_is_selected_only(job) && !manifest_fills(job->manifest)))
        return true;
    job->standing = arena_new(&job->arena, struct standing);
    job->is_base_lost =
        !standing_find(job->plant, &job->arena, job->manifest, job->arch, job->made_base, job->standing, err);
    return !job->is_base_lost;
}

static bool run_once(struct job *job, struct err *err)
{
    const struct run_options *options = job->plant->options;
    AUTO(questions_close) struct questions *questions = NULL;
    AUTO(arena_done) struct arena scratch = {0};
    struct order order = order_of(job, &scratch);
    struct closed closed = {0};
    struct catalog *catalog;
    order_enter(&order, STAGE_INDEX);
    if (plant_is_cancelled(job->plant, err) || !find_base(job, err) ||
        !plant_find_catalog(job->plant, job->source, job->arch, &catalog, err))
        return false;
    order.catalog = catalog;
    order.standing = job->standing;
    job->origins = &order.catalog->origins;
    if (!locked_check_origins(job, err))
        return false;
    bool may_reuse = !options->is_rebuild && !job_is_selected_only(job) && !options->tree_dir && !job->limits.count;
    job->bill = (struct bill){.format = BILL_FORMAT, .inputs = kept_inputs(job, order.catalog)};
    if (!layering_check(job, err))
        return false;
    bool is_kept = may_reuse && kept_use(&order, job),
         is_explained = options->explained && !options->is_dry_run && !job->is_base;
    if (!is_kept || is_explained) {
        if (!plant_prepare(job->plant, order.catalog, err))
            return false;
        questions = questions_open(order.catalog);
        order.catalog = questions_catalog(questions);
        if (job->manifest->shell && !order_take_shell(&order, err))
            return false;
    }
    /* What is found again needs the base's layers, too: for the layout. */
    if (is_kept && job->standing && !standing_fetch(job->plant, job->standing, err))
        return false;
    bool is_made = is_kept || make_tree(job, &order, &closed, err);
    if (!is_kept)
        catalog_rest(order.catalog);
    if (!is_made || !catalog_accept(catalog, err))
        return false;
    if (!is_kept)
        kept_note(questions, job);
    name_bill(job);
    if (!job_is_selected_only(job) && !locked_check(job, err))
        return false;
    if (is_explained && !explain(job, &order, &closed, err))
        return false;
    return job->is_to_pack || make_image(job, err);
}

/* Makes the job as it was when it began, but for the memory that it has. */
static void forget(struct job *job, const struct job *begun)
{
    supply_give_back(job->plant->supply, &job->hold);
    ground_close(&job->ground);
    view_done(&job->kept);
    arena_done(&job->tree_arena);
    struct arena arena = job->arena;
    *job = *begun;
    job->arena = arena;
}

/* RESOLVE to PROOF; from the start again when what the indices list is not there, so that all of an image is of one generation. */
static bool run_first(struct job *job, struct err *err)
{
    struct err first = {0};
    const struct job begun = *job;
    for (;;) {
        size_t look = plant_look(job->plant, job->source);
        if (run_once(job, err))
            return true;
        if (!plant_look_again(job->plant, job->source, look, &first, err)) {
            locked_explain(job, err);
            return false;
        }
        forget(job, &begun);
    }
}

/* LAYER, IMAGE. */
static bool run_second(struct job *job, struct err *err)
{
    struct order order = order_of(job, &job->tree_arena);
    if (!pack_layers(&order, job, err))
        return false;
    if (!job->limits.count)
        kept_store(job);
    return make_image(job, err);
}

/* Whether it stands on an image that is not here: others of the plan made it for this one alone, and nobody published it, or it was put
 * together before, and its parts are gone. */
static bool stands_apart(const struct job *job)
{
    return manifest_base_image(job->manifest) && (!job->made_base || job->made_base->is_elsewhere);
}

/* What the index says of the base; NULL: nothing, since its index is not known. */
static const struct oci_base *told_base(struct job *job)
{
    static const struct digest unknown = {{0}};
    const struct made_base *made = job->made_base;
    if (!made || digest_eq(&made->digest, &unknown) || !job->bill.base)
        return NULL;
    struct oci_base *base = arena_new(&job->arena, struct oci_base);
    *base = (struct oci_base){.name = made->name, .digest = job->bill.base->manifest, .index = made->digest};
    return base;
}

/* The image's documents made of the bill have to be those that are there. What stands on an image that is not here cannot be made
 * again, and is taken as it is. */
static bool adopt(struct job *job, const struct gathered *gathered, struct err *err)
{
    const struct layout_manifest *platform = &gathered->platforms[0], *second = &gathered->platforms[1];
    job->is_adopted = stands_apart(job);
    if (job->is_adopted) {
        job->image = *missing_adopt(&job->arena, job->arch, platform);
        job->image.base = told_base(job);
        if (gathered->count > 1) {
            struct image *other = missing_adopt(&job->arena, job->arch, second);
            other->base = job->image.base;
            job->image.second = other;
        }
        return true;
    }
    if (!describe(job, err))
        return false;
    bool is_first = digest_eq(&job->bill.manifest, &platform->blob.digest);
    if (!is_first || (gathered->count > 1 && !digest_eq(&job->bill.second, &second->blob.digest)))
        err_set(err, ERR_TRUST, "sha256:%s is not the image that its bill tells of",
                digest_hex(is_first ? &second->blob.digest : &platform->blob.digest).chars);
    return err->kind == ERR_NONE;
}

/* What another machine made of the order by the same plan, held against the same lock. No mirror is asked for it. */
static bool run_gathered(struct job *job, struct err *err)
{
    struct gathered gathered;
    return !plant_is_cancelled(job->plant, err) && gather_take(job, &gathered, err) && locked_check_bill(job, err) &&
           (stands_apart(job) || find_base(job, err)) && adopt(job, &gathered, err);
}

/* Runs a part of the job; it is the last one unless the other is to follow. */
static void run_part(struct job *job, bool (*part)(struct job *job, struct err *err))
{
    double start = clock_seconds();
    job->is_to_pack = false;
    job->is_good = part(job, &job->err);
    job->is_to_pack = job->is_to_pack && job->is_good;
    job->seconds += clock_seconds() - start;
    if (job->is_to_pack)
        return;
    arena_done(&job->tree_arena);
    supply_give_back(job->plant->supply, &job->hold);
    ground_close(&job->ground);
    progress_stage(job->progress, job->is_good ? STAGE_DONE : STAGE_FAILED);
    if (!job->is_good && job->is_base_lost)
        err_wrap(&job->err, "image %s", job->manifest->name);
    else if (!job->is_good)
        err_wrap(&job->err, "image %s for %s", job->manifest->name, job->arch->name);
}

void job_tree(struct job *job)
{
    run_part(job, job->gathered_from ? run_gathered : run_first);
}

void job_pack(struct job *job)
{
    run_part(job, run_second);
}

void job_done(struct job *job)
{
    view_done(&job->kept);
    ground_close(&job->ground);
    arena_done(&job->tree_arena);
    arena_done(&job->arena);
}
