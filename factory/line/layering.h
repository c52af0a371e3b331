/* SPDX-License-Identifier: Apache-2.0 */
/* layering.h - the plan of layers (plan/layer_plan.h), made of what all images of a lock hold
 *
 * What has most bytes comes first: Docker fetches again all that lies over what changed. Where images have different
 * files of a source package, those that the same images have (two at least) get a line that names them, when a layer
 * is worth it: so a layer is the same in all images that have it. A plan that is there stays as it is as far as it
 * can, since each change of it moves files between layers: lines stay over each other as they are and keep their
 * files, and new ones go between them; their numbers change when what is shared became twice or half of what the line
 * says; a line goes when no image has its files any more, or less of them than half the least size of a layer. Without
 * a former plan the order is a function of the images.
 * Threads: main, when all orders ended.
 * Owns: nothing; the plan lives in the arena given, or is borrowed from jobs.
 */
#ifndef IMGFACTORY_LINE_LAYERING_H
#define IMGFACTORY_LINE_LAYERING_H

#include "line/batch.h"

/* Makes the plan for the images of a batch that want one; false when none does. With is_all the batch has all images of the former
 * plan; else lines of others stay, and no source package that the former plan has is parted. */
bool layering_plan(struct arena *arena, const struct batch *batch, const struct layer_plan *former, bool is_all,
                   struct layer_plan *ret_plan) MUST_CHECK;
/* Returns whether the run makes the very plan by which the job's tree would be cut, so that packing it now is of no use. */
bool layering_is_first(const struct job *job);
/* Refuses an order that is to be cut by a plan which is not there. */
bool layering_check(const struct job *job, struct err *err) MUST_CHECK;

#endif
