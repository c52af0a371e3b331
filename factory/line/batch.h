/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - all images of one call: every order on a thread of its own, every image finished as soon as its orders are
 *
 * Threads: batch_run() on main; it starts the orders' threads and joins them, unless a signal came and they do not end
 * soon (is_abandoned). The results are in plan order, whatever ended first.
 * Owns: jobs and documents, until batch_done().
 */
#ifndef IMGFACTORY_LINE_BATCH_H
#define IMGFACTORY_LINE_BATCH_H

#include "line/job.h"
#include "line/parity.h"
#include "line/pruning.h"
#include "line/status_record.h"
#include "oci/layout.h"
#include "plan/tag_rules.h"

struct image_changes; /* changes.h */

struct batch_image {
    /* given */
    const struct manifest *manifest;
    const struct source *source;
    const struct arch *const *arches;
    size_t arch_count;
    struct strings templates;          /* of tags: the command's, the manifest's, or the site's */
    const struct tag_rules *tag_rules; /* of these; NULL: none */
    struct tag_keep keep;              /* how long its digests stay; KEEP_UNSAID: as its tags say */
    bool is_stamped;                   /* something says how long: what is published gets a stamp (registry/stamp.h) */
    bool has_end;
    int64_t end_of_life;            /* with has_end: from then on it is not built (seconds since 1970) */
    const char *destination;        /* HOST/REPOSITORY to push to, or NULL */
    const char *apart;              /* where other calls push what this one pushes nowhere (is_implied), or NULL */
    struct part_places places;      /* of a plan: where a shard leaves its platforms, or where they are looked for */
    const struct signers *signers;  /* its own (sign/signer.h); NULL: the run's */
    const char *word;               /* how the command line names it, as a shell reads it */
    struct together together;       /* how its architectures are kept together */
    bool is_implied;                /* no name of the call: others stand on it */
    const struct batch_image *base; /* another image of the batch that it stands on, made first; or NULL. It has all of
                                     * `arches` */
    /* results; an image that could not be planned is given with its error and no architectures */
    struct job *jobs; /* arch_count of them, in the order of arches */
    struct arena arena;
    bool is_good, is_built,
        is_unchanged; /* built: index and layers are there, whatever became of the push; unchanged: the layout had this
                         * very image under all tags */
    bool has_layout;  /* the layout has it */
    const struct archive_target *archive; /* the archive of the run has it; NULL: there is none */
    bool is_partial; /* some orders failed, and the image goes on: `missing` tells of the gravest */
    struct err missing;
    const struct image *
        *made;             /* parallel to jobs: of the order itself, or what the registry has for it; NULL: left out */
    bool is_compared;      /* with each other, the architectures: `lags` is what differs */
    bool is_common;        /* they differed, and have been made anew of what all of them have */
    struct job *set_aside; /* parallel to jobs, then: those that differed, to which `lags` points; or NULL */
    bool
        is_elsewhere; /* of a plan (sharding.h): another run put it together, or a newer one; nothing of it is this run's */
    bool is_held;     /* since they differ, or its base is: it is good, and no tag moves */
    struct lags lags;
    struct err err;     /* the gravest of the jobs', or that of index and layout */
    const char *layout; /* path */
    struct strings tags;
    struct strings dated,
        immutable; /* of its tags: those that get the digest's first characters; those that never move */
    struct document index;
    struct publication publication;
    struct platforms_loss loss;       /* what a tag of the layout would have lost */
    double seconds;                   /* from the start of the batch to the image's end … */
    int64_t ended;                    /* … which is this, in seconds since 1970 */
    const struct status_image *newer; /* whose tags stay, since its repositories are newer (status_seen.h); or NULL */
    struct status_newer newer_by;     /* one of those repositories */
    struct image_changes *changes;    /* against what was there before; NULL: nothing was, or it is the same */
    const char *told;                 /* private, as are the next: the error that was printed of a job, if any */
    _Atomic size_t pending;
    atomic_bool is_ended; /* no thread touches it any more */
};

/* The status record of a site, when a night wrote it (status_post.h). */
struct batch_record {
    const char *reference; /* NULL: none was to be written */
    bool is_good;
    struct digest digest; /* of its manifest, when it is good */
    struct err err;
};

/* How long before its end of life an image begins to say so. */
#define BATCH_END_TOLD_SECONDS ((int64_t)30 * 24 * 60 * 60)

/* An image of the call that is not built any more. */
struct batch_ended {
    const char *word, *named; /* as a shell reads it, and as it is */
    int64_t end_of_life;      /* the first second of the day */
};

struct batch {
    struct batch_image *images; /* in the order of the command line */
    size_t count;
    struct batch_record record;
    struct pruning *prunings; /* of the repositories of its images, when the night pruned them */
    size_t pruning_count;
    const struct batch_ended *ended;
    size_t ended_count;
    struct progress progress;
    struct arena arena;
    bool is_abandoned; /* threads are still at work: neither the batch nor the plant may be freed */
};

/* Prepares jobs and progress lines for the images, whose given fields are set. */
void batch_init(struct batch *batch, struct batch_image *images, size_t count);
/* Runs all orders. Fails only when no thread can be started; failures of images are in the images. When the cancel flag
 * is set, orders have 0.7 s to end; images that are not done by then are reported as cancelled, and the threads
 * left alone (is_abandoned): the caller reports and ends the process. */
bool batch_run(struct batch *batch, struct plant *plant, struct err *err) MUST_CHECK;
/* Returns the exit class of the whole: ERR_NONE, the gravest kind when all failed that were asked for, else ERR_PARTLY; that of
 * the status record when nothing else failed. */
enum err_kind batch_outcome(const struct batch *batch);
/* Frees results. */
void batch_done(struct batch *batch);

#endif
