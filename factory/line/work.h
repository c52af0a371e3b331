/* work.h - one order while it is worked on: private to job.c, select.c, build.c, note.c, which are one order's stages
 *
 * Threads: belongs to the order's thread, or to the one task that it waits for.
 * Owns: everything lives in the scratch arena and is gone when the job ended; what stays is copied to the product.
 */
#ifndef IMGFACTORY_LINE_WORK_H
#define IMGFACTORY_LINE_WORK_H

#include "effect/applied.h"
#include "line/job.h"
#include "proof/proof.h"
#include "tree/tree.h"

/* What one order works with between the stages; all in the scratch arena, gone when the job ended. */
struct work {
    struct job *job;
    struct manifest manifest; /* the job's, with the recipes that apply */
    struct applied applied;
    struct arena *scratch;
    struct catalog *catalog;
    struct strings names;   /* packages asked for */
    struct strings refused; /* packages of dlopen notes that cannot be installed beside the others */
    bool is_first_ignored;  /* `packages: first` did not hold; look into Contents */
    struct selection selection;
    struct selected identity;
    bool has_identity;
    const struct package **packages; /* opened, parallel to selection.items; NULL when not opened; identity last */
    const struct package *identity_package;
    struct fileset set;
    struct keep keep;
    struct tree tree;
    struct proof proof;
    struct openers openers;
    struct err *err; /* for tasks on workers */
    bool is_good;
};

/* Begins a stage: for the display and the log. */
void work_enter(struct job *job, enum stage stage);
/* Runs a stage's computing on a worker. The task fills work->is_good and work->err. */
bool work_compute(struct work *work, workers_task *task, struct err *err) MUST_CHECK;
/* Returns whether a package of that name is selected / some selected package is not opened. */
bool work_is_selected(const struct work *work, const char *name);
bool work_has_unopened(const struct work *work);

/* RESOLVE to CLOSURE (select.c): fills names, selection, packages, set, keep. In a dry run only the selection. */
bool work_select(struct work *work, struct err *err) MUST_CHECK;
/* RESOLVE alone, with the names that were asked for; FETCH and UNPACK of the likely packages, or of all. */
bool work_resolve(struct work *work, struct err *err) MUST_CHECK;
bool work_open(struct work *work, bool is_all, struct err *err) MUST_CHECK;
/* CLOSURE over the packages that are open: a task. */
void work_closure_task(void *argument);
/* TREE to LAYER (build.c): fills tree, proof and the product's layer. */
bool work_pack(struct work *work, struct err *err) MUST_CHECK;
/* Copies to the product what the report tells of selection and tree (note.c). */
void work_note_selection(struct work *work);
void work_note_tree(struct work *work);

#endif
