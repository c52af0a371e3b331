/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - one order (one image for one architecture) through all stages, in two parts: to the tree, and from it to the
 * image
 *
 * Between the two only the tree is held, so that many orders can wait there (steps.h says for what).
 * Threads: each part on an orders' thread, which coordinates and waits; all computing goes to the workers.
 * Owns: the job's arena, until job_done().
 */
#ifndef IMGFACTORY_LINE_JOB_H
#define IMGFACTORY_LINE_JOB_H

#include "bill/explain.h"
#include "line/sharding.h"
#include "line/standing.h"
#include "tree/tree.h"

struct job {
    /* given */
    struct plant *plant;
    const struct manifest *manifest;
    const struct source *source;
    const struct arch *arch;
    struct progress_line *progress;
    struct made_base *made_base; /* when the base is an image of this run: filled in before the order begins */
    bool is_base;                /* others stand on the image: it is described whatever the run is for */
    struct solve_limits limits;  /* packages that must not be newer, so that other architectures have the same: then the
                                  * product is not used again, since it is not what the indices give */
    const struct part_places
        *gathered_from; /* where another machine left what it made of the order (sharding.h); NULL: it is made here */
    bool is_filled;     /* packages are installed on it in this run: it is made even in a dry run */
    /* results */
    struct arena arena;
    bool is_good;
    bool is_base_lost; /* what the image stands on cannot be had: the error tells of no architecture by itself */
    bool is_adopted;   /* another machine made it, and its documents are taken as they are */
    bool is_reused;    /* a finished product was used again */
    struct err err;
    struct bill bill;              /* in a dry run only packages and choices */
    struct image image;            /* documents and layers; not in a dry run */
    const struct origins *origins; /* NULL when it failed before */
    struct answers answers;        /* parallel to run_options.explained */
    double seconds;                /* of both parts, without what is between them */
    struct view kept;              /* of a product that is used again: the rest of its bill lies in it */
    /* between the parts */
    struct text questions; /* of the indices, to be asked again */
    bool is_sure;          /* all of them were answered */
    bool is_to_pack;       /* the tree is there and its layer is not */
    struct tree tree;
    struct arena tree_arena;
    struct supply_hold hold;   /* packages that are open for it: until it ends */
    struct standing *standing; /* the base, or NULL; in `arena` */
    struct ground ground;      /* its files, while they are needed */
};

/* The first part: selection → packages → keep → tree → proof. With is_to_pack the order is not done: job_pack() follows;
 * else it failed, or nothing is to be packed. */
void job_tree(struct job *job);
/* The second part: layer → image. */
void job_pack(struct job *job);
/* Returns whether the run stops at the selection of packages: a dry run, which needs no files of the image. */
bool job_is_selected_only(const struct job *job);
/* Returns whether the run needs the image's documents, not only what is in it. */
bool job_is_described(const struct job *job);
/* Frees what the job holds. */
void job_done(struct job *job);

#endif
