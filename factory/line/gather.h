/* SPDX-License-Identifier: Apache-2.0 */
/* gather.h - an order that another machine made by the same plan, taken from the registry and checked
 *
 * Threads: the order's own; blocks on the network.
 * Owns: nothing; documents live in the job's arena, layers in the store.
 * Fails with: ERR_PUBLISH (it is not there: its shard is named), ERR_MALFORMED, ERR_TRUST (it is not what its bill says, or its bill
 * is of something else); as pull.h.
 */
#ifndef IMGFACTORY_LINE_GATHER_H
#define IMGFACTORY_LINE_GATHER_H

#include "line/job.h"

/* What the registry has of an order. */
struct gathered {
    struct layout_manifest platforms[2]; /* as oci/oci_part.h has them */
    size_t count;
};

/* Fills in a job's bill and origins, and brings its layers into the store, or where nobody reads them (assembly_is_bare()) sees that
 * they are there. */
bool gather_take(struct job *job, struct gathered *ret_gathered, struct err *err) MUST_CHECK;
/* Returns which shard makes an order of the run's plan, as messages call it: ", which shard 3/8 makes"; "" when that is not known. */
const char *gather_shard(struct arena *arena, const struct sharding *sharding, const char *image, const char *arch);

#endif
