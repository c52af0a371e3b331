/* SPDX-License-Identifier: Apache-2.0 */
/* plan_unit.h - `imgfactory unit --format slurm` and `kube-job`: what makes the images of the site file on several machines
 *
 * Threads: main only.
 * Owns: nothing; all lives in the maker's arena.
 * Fails with: ERR_USAGE; as lock.h, of a lock file that is there.
 */
#ifndef IMGFACTORY_CLI_PLAN_UNIT_H
#define IMGFACTORY_CLI_PLAN_UNIT_H

#include "cli/maker.h"
#include "deploy/deploy_plan.h"

/* Returns where the lock file of a site's nights is: beside the site file. */
const char *plan_unit_lock(struct arena *arena, const char *config);
/* Makes the files for a site's nights, which are described. Time and memory are told from the lock file, where
 * there is one. */
bool plan_unit_files(struct maker *maker, struct deploy_night *night, struct deploy_files *ret_files,
                     struct err *err) MUST_CHECK;

#endif
