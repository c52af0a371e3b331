/* SPDX-License-Identifier: Apache-2.0 */
/* deploy_plan.h - what makes a site's images on several machines: a job array of Slurm, or Indexed Jobs of Kubernetes
 *
 * The engine places and restarts; workers get a credential for pushing and no key. What a shard ends with decides: network and local
 * resources (6, 8) are worth another try, usage, trust, malformed input and what cannot be resolved (2, 3, 4, 5) are not.
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 */
#ifndef IMGFACTORY_DEPLOY_DEPLOY_PLAN_H
#define IMGFACTORY_DEPLOY_DEPLOY_PLAN_H

#include "deploy/deploy_night.h"

/* A site's nights on several machines. */
struct deploy_plan {
    const struct deploy_night *night;
    size_t shards, parallel; /* how many there are, and how many run at a time */
    const char *lock;        /* path of the lock file; for Kubernetes it is not looked at */
    uint64_t memory_bytes;   /* what a shard may need, and how long */
    uint32_t minutes;
    const char *measure; /* what these two were told from, for people */
};

/* Makes the files of DEPLOY_SLURM or DEPLOY_KUBE_JOB. */
struct deploy_files deploy_plan_files(struct arena *arena, const struct deploy_plan *plan, enum deploy_format format);

#endif
