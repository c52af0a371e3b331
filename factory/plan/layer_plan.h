/* SPDX-License-Identifier: Apache-2.0 */
/* layer_plan.h - into how many layers an image goes, and which source packages get one of their own (imgfactory.layers)
 *
 * The plan lies beside the lock file, and is made and updated by `imgfactory lock` (line/layering.h). A line is a source package,
 * the number of images that have files of it, and how many bytes these have:
 *     glibc 18 3127296
 * Lines are in the order of layers, the lowest first. '#' begins a comment. It is an input like the manifest: what an image's layers
 * are depends on the image, the plan and the number alone, never on what other images a call has.
 * Threads: no state.
 * Owns: nothing; strings live in the arena given.
 * Fails with: ERR_USAGE (a line that is none, with its number).
 */
#ifndef IMGFACTORY_PLAN_LAYER_PLAN_H
#define IMGFACTORY_PLAN_LAYER_PLAN_H

#include "base/text.h"

#define LAYER_PLAN_NAME "imgfactory.layers"
#define LAYER_PLAN_MAX_BYTES ((size_t)256 << 10)
#define LAYER_PLAN_MAX 1000 /* lines */
#define LAYERS_MAX 100      /* Docker takes 127, with those of a base */
#define LAYERS_AUTO 12
#define LAYERS_UNPLANNED 2 /* up to so many no plan is asked for */
#define LAYERS_WORDS "1, auto, or a number up to 100"

struct layer_share {
    const char *source;     /* name of the source package */
    uint64_t images, bytes; /* that have files of it; of these files, in the image that has most */
};

struct layer_plan {
    struct layer_share *items; /* the lowest first */
    size_t count, capacity;
};

/* Parses how many layers an image gets at most: 1, "auto" or a number. */
bool layers_parse(const char *word, size_t *ret_layers) MUST_CHECK;
/* Reads a plan; `name` is for messages. */
bool layer_plan_read(struct arena *arena, const char *name, struct text text, struct layer_plan *ret_plan,
                     struct err *err) MUST_CHECK;
/* Appends the document; false when the buffer is full. */
bool layer_plan_write(const struct layer_plan *plan, struct buf *text) MUST_CHECK;
/* Returns the plan's lines, as a bill has them. */
struct strings layer_plan_lines(struct arena *arena, const struct layer_plan *plan);
/* Finds a source package; NULL when the plan has none of that name. */
const struct layer_share *layer_plan_find(const struct layer_plan *plan, const char *source);

#endif
