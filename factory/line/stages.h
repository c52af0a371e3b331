/* SPDX-License-Identifier: Apache-2.0 */
/* stages.h - the stages of one order as functions, and the values that they hand on
 *
 *   needs.h: asked -> select_files(): closed -> build_tree(): built -> prove_built(): proof -> prove_good() -> job.c: layer, image
 *
 * Each value is made by one stage and const for those that follow.
 * Threads: called by the order's thread, which waits; computing goes to the workers.
 * Owns: nothing; every value lives in the order's scratch arena.
 * Fails with: as catalog.h, solve.h, supply.h, closure.h, tree.h, prove.h; ERR_CANCELLED.
 */
#ifndef IMGFACTORY_LINE_STAGES_H
#define IMGFACTORY_LINE_STAGES_H

#include "bill/bill.h"
#include "line/needs.h"
#include "proof/prove.h"

/* The finished file system. */
struct built {
    struct wishes wishes; /* closed.wishes with what was made of the packages' files */
    struct tree tree;     /* what goes into the layer */
    struct tree root;     /* what the image then has: on a base that, too; else the same */
    struct openers openers;
    const char *left_out; /* of what the service's packages ship: a sentence, or NULL */
};

/* RESOLVE to CLOSURE: what the image is made of. In a dry run only closed.asked and closed.opened.selection. */
bool select_files(const struct order *order, struct closed *ret_closed, struct err *err) MUST_CHECK;
/* FETCH and UNPACK for the rest of the selection. */
bool select_open_all(const struct order *order, struct closed *closed, struct err *err) MUST_CHECK;
/* CLOSURE once more, over all that is open by now; the selection stays. */
bool select_close_again(const struct order *order, struct closed *closed, struct err *err) MUST_CHECK;
/* TREE. An owner whose name the packages that gave files do not declare is looked up in all of the selection: then
 * `closed` is made anew over all of it. */
bool build_tree(const struct order *order, struct closed *closed, struct built *ret_built, struct err *err) MUST_CHECK;
/* PROOF. Files that cannot be loaded and may be left out are: then closure and tree are made anew. */
bool prove_built(const struct order *order, struct closed *closed, struct built *built, struct proof *ret_proof,
                 struct err *err) MUST_CHECK;
/* Fails when anything in the tree cannot start. */
bool prove_good(const struct order *order, const struct closed *closed, const struct built *built,
                const struct proof *proof, struct err *err) MUST_CHECK;

/* Returns what the image starts: as manifest, recipes and others have it, with the variables, and with what a base had (NULL:
 * none). */
struct manifest_config build_process(struct arena *arena, const struct standing *standing,
                                     const struct manifest_config *config, const struct wishes *wishes);
/* Copies to the bill what there is to tell of what is wanted, of a selection, of a tree (NULL: none was made), and of a
 * proof. */
void note_wishes(const struct manifest *manifest, const struct wishes *wishes, struct arena *arena, struct bill *bill);
void note_selection(const struct closed *closed, const struct built *built, struct arena *arena, struct bill *bill);
void note_tree(const struct closed *closed, const struct built *built, struct arena *arena, struct bill *bill);
void note_proof(const struct proof *proof, struct arena *arena, struct bill *bill);

#endif
