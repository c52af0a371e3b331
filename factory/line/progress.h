/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h - how far each order is: written by its thread, read by whoever shows it
 *
 * Threads: progress_stage() by the order's thread; counters are atomic.
 */
#ifndef IMGFACTORY_LINE_PROGRESS_H
#define IMGFACTORY_LINE_PROGRESS_H

#include "base/arena.h"

#include <stdatomic.h>
#include <stdint.h>

enum stage {
    STAGE_WAIT,
    STAGE_INDEX,
    STAGE_RESOLVE,
    STAGE_FETCH,
    STAGE_CLOSURE,
    STAGE_LAYER,
    STAGE_PUSH,
    STAGE_PULL,
    STAGE_DONE,
    STAGE_FAILED
};

/* The line of an order, or of a push or pull. */
struct progress_line {
    const char *image, *arch;                 /* set before threads start; of a push or pull `arch` is "" */
    _Atomic int stage;                        /* enum stage */
    _Atomic uint64_t bytes_done, bytes_total; /* of the fetch, push or pull; total 0: not known */
};

struct progress {
    struct progress_line *lines; /* in plan order, those of orders first */
    size_t count;
};

/* Makes `count` lines; the caller fills image and arch. */
void progress_init(struct arena *arena, size_t count, struct progress *ret_progress);
/* Moves an order to a stage. */
void progress_stage(struct progress_line *line, enum stage stage);
/* Names a stage for people: "fetch". */
const char *progress_stage_name(enum stage stage);

#endif
