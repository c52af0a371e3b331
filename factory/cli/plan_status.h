/* SPDX-License-Identifier: Apache-2.0 */
/* plan_status.h - how far a plan is that several machines share, as the registry tells
 *
 * One request for each repository: a list of its tags.
 * Threads: main only.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: as registry.h; ERR_PARTLY while anything is missing.
 */
#ifndef IMGFACTORY_CLI_PLAN_STATUS_H
#define IMGFACTORY_CLI_PLAN_STATUS_H

#include "cli/command.h"
#include "line/batch.h"
#include "line/sharding.h"

/* What is asked for. */
struct plan_status {
    struct command *command;
    const struct sharding *sharding;
    const struct batch_image *images; /* those that are planned, with their destinations */
    size_t count;
    const struct registry_options *registry;
    struct http *http;
};

/* Asks, prints a row for each image and architecture, and judges. */
bool plan_status_run(const struct plan_status *status, struct err *err) MUST_CHECK;

#endif
