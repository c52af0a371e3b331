/* SPDX-License-Identifier: Apache-2.0 */
/* sharding.h - what a run has to do with a plan that several machines share: it makes a shard of it, or puts its images together
 *
 * A run without a plan has none of this (run_options.sharding is NULL).
 * Threads: const once the run began.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_LINE_SHARDING_H
#define IMGFACTORY_LINE_SHARDING_H

#include "base/list.h"

/* Which shard makes an order. */
struct sharding_order {
    const char *image, *arch;
    size_t shard;
};

/* Where the parts of an image are: under tags of its own, or beside an image that stands on it. */
struct part_place {
    const char *repository, /* HOST/REPOSITORY */
        *image;             /* after which the tags are called … */
    size_t depth;           /* … that so many images above it; 0: its own */
};

struct part_places {
    struct part_place *items;
    size_t count, capacity;
};

struct sharding {
    const char *plan; /* registry/plan_tag.h */
    int64_t date;     /* of its newest source */
    bool is_assembling, is_plan_kept;
    size_t count; /* of shards; 0: not said */
    LIST(struct sharding_order) orders;
};

#endif
