/* The order's way through the factory. make() reads like the flow in factory/README.md. */
#include "line/job.h"

#include "base/auto.h"
#include "base/clock.h"
#include "line/explain.h"
#include "line/kept.h"
#include "line/work.h"

void work_enter(struct job *job, enum stage stage)
{
    progress_stage(job->progress, stage);
    log_line(job->plant->log, LOG_VERBOSE, "%s %s: %s", job->manifest->name, job->arch->name,
             progress_stage_name(stage));
}

/* Runs a stage's computing on a worker. The stage fills work->is_good and work->err. */
bool work_compute(struct work *work, workers_task *task, struct err *err)
{
    work->err = err;
    work->is_good = false;
    workers_run(work->job->plant->workers, task, work);
    return work->is_good && !plant_is_cancelled(work->job->plant, err);
}

bool work_is_selected(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->selection.count; i++) {
        if (strcmp(work->selection.items[i].name, name) == 0)
            return true;
    }
    return false;
}

bool work_has_unopened(const struct work *work)
{
    for (size_t i = 0; i < work->selection.count; i++) {
        if (!work->packages[i])
            return true;
    }
    return false;
}

static void log_notes(struct job *job)
{
    for (size_t i = 0; i < job->product.openers.count; i++) {
        const struct opener *opener = &job->product.openers.items[i];
        log_line(job->plant->log, LOG_VERBOSE, "%s %s: note: %s opens files at run time%s%s%s%s", job->manifest->name,
                 job->arch->name, opener->path,
                 opener->absent.count ? " that are not in the image: " : " by names of its own",
                 strings_join(&job->arena, &opener->absent, ", "), opener->feature ? "; feature " : "",
                 opener->feature ? opener->feature : "");
    }
    for (size_t i = 0; i < job->product.notes.count; i++)
        log_line(job->plant->log, LOG_NORMAL, "%s %s: note: %s", job->manifest->name, job->arch->name,
                 job->product.notes.items[i]);
}

static bool make(struct work *work, struct err *err)
{
    struct job *job = work->job;
    struct plant *plant = job->plant;
    const struct plant_options *options = plant->options;
    work_enter(job, STAGE_INDEX);
    if (plant_is_cancelled(plant, err) || !plant_catalog(plant, job->source, job->arch, &work->catalog, err))
        return false;
    job->origins = &work->catalog->origins;
    struct digest key = kept_key(job, work->catalog);
    bool may_reuse = !options->is_rebuild && !options->is_dry_run && !options->tree_dir;
    if (!may_reuse || !kept_use(job, &key)) {
        if (!work_select(work, err) || (!options->is_dry_run && !work_pack(work, err)))
            return false;
        work_note_selection(work);
        if (options->is_dry_run) {
            log_notes(job);
            return true;
        }
        work_note_tree(work);
        kept_store(job, &key);
    }
    if (options->explained)
        return explain_find(work, err);
    log_notes(job);
    job->product.facts.name = job->manifest->name;
    job->product.facts.arch = job->arch->name;
    job->image = (struct image){.arch = job->arch};
    list_add(&job->arena, &job->image.layers, job->product.layer);
    struct manifest manifest = *job->manifest;
    manifest.config.env = job->product.env;
    return oci_build_image(&job->arena, &manifest, &job->product.facts, &job->image, err);
}

void job_run(struct job *job)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct work work = {.job = job, .manifest = *job->manifest, .scratch = &scratch};
    double start = clock_seconds();
    job->is_good = make(&work, &job->err);
    job->seconds = clock_seconds() - start;
    progress_stage(job->progress, job->is_good ? STAGE_DONE : STAGE_FAILED);
    if (!job->is_good)
        err_wrap(&job->err, "image %s for %s", job->manifest->name, job->arch->name);
}

void job_done(struct job *job)
{
    arena_done(&job->arena);
}
