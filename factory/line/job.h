/* job.h - one order (one image for one architecture) through all stages: selection → packages → keep → tree → layer →
 * image
 *
 * Threads: job_run() on the order's own thread, which coordinates and waits; all computing goes to the workers.
 * Owns: the job's arena, until job_done().
 */
#ifndef IMGFACTORY_LINE_JOB_H
#define IMGFACTORY_LINE_JOB_H

#include "bill/explain.h"
#include "line/plant.h"

struct job {
    /* given */
    struct plant *plant;
    const struct manifest *manifest;
    const struct source *source;
    const struct arch *arch;
    struct progress_line *progress;
    /* results */
    struct arena arena;
    bool is_good;
    bool is_reused; /* a finished product was used again */
    struct err err;
    struct product product;        /* in a dry run only packages and choices */
    struct image image;            /* documents and layer; not in a dry run */
    const struct origins *origins; /* NULL when it failed before */
    struct answers answers;        /* parallel to plant_options.explained */
    double seconds;
};

/* Runs the job and fills its results. */
void job_run(struct job *job);
/* Frees what the job holds. */
void job_done(struct job *job);

#endif
