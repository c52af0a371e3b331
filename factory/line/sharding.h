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

struct sharding {
    const char *plan; /* registry/plan_tag.h */
    int64_t date;     /* of its newest source */
    bool is_assembling, is_plan_kept;
    size_t count; /* of shards; 0: not said */
    LIST(struct sharding_order) orders;
};

#endif
