/* SPDX-License-Identifier: Apache-2.0 */
#include "line/progress.h"

void progress_init(struct arena *arena, size_t count, struct progress *ret_progress)
{
    *ret_progress = (struct progress){arena_new_array(arena, struct progress_line, count), count};
}

void progress_stage(struct progress_line *line, enum stage stage)
{
    atomic_store_explicit(&line->stage, (int)stage, memory_order_relaxed);
}

const char *progress_stage_name(enum stage stage)
{
    switch (stage) {
    case STAGE_WAIT:
        return "waiting";
    case STAGE_INDEX:
        return "indices";
    case STAGE_RESOLVE:
        return "resolve";
    case STAGE_FETCH:
        return "fetch and unpack";
    case STAGE_CLOSURE:
        return "closure";
    case STAGE_LAYER:
        return "layer";
    case STAGE_PUSH:
        return "push";
    case STAGE_PULL:
        return "pull";
    case STAGE_DONE:
        return "done";
    case STAGE_FAILED:
        return "failed";
    }
    return "";
}
