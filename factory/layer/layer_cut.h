/* SPDX-License-Identifier: Apache-2.0 */
/* layer_cut.h - one tree as several trees that lie over each other: which file is in which layer
 *
 * From below: a layer for each line of the plan (a source package, or some files of it), then what else packages gave,
 * then, on top, all that is made for this very image (accounts, package database, what the manifest creates). So a new
 * version of a library changes its own layer and the small one on top. Each path but those of directories is in one
 * layer. A layer has the directories above its files, with the time of the newest of these, so that images with the
 * same files have the same layer; the topmost has all directories as they are: what comes out of unpacking in order is
 * the one tree. A file and its hard links stay together. A function of tree, plan and number alone: a line whose files
 * have fewer than LAYER_LEAST_BYTES gets no layer, of the others those get one of which most is shared by the plan's
 * numbers (images times bytes), and what is left goes one layer up; likewise what else packages gave, when it is that
 * small.
 * Threads: no state.
 * Owns: nothing; all lives in the arena given, or is borrowed from the tree.
 */
#ifndef IMGFACTORY_LAYER_LAYER_CUT_H
#define IMGFACTORY_LAYER_LAYER_CUT_H

#include "base/map.h"
#include "plan/layer_plan.h"
#include "tree/tree.h"

/* A layer costs a request and 1 kB of documents; of less than this much it is not worth them. */
#define LAYER_LEAST_BYTES ((uint64_t)128 << 10)

struct layer_cut_request {
    const struct tree *tree;
    size_t most;                   /* layers; 1: the tree stays one */
    const struct layer_plan *plan; /* of which sources get layers; none are needed up to LAYERS_UNPLANNED */
    const struct map *sources;     /* the source package's name (const char *) by that of the package */
};

/* Cuts it: an array of trees, the lowest first, in the arena. At least one, and at most as many as asked for. */
struct tree *layer_cut(struct arena *arena, const struct layer_cut_request *request, size_t *ret_count);

#endif
