/* SPDX-License-Identifier: Apache-2.0 */
/* sharding_call.h - a plan that several machines share, as the command line has it: its name, and who makes what
 *
 * The plan is named by the lock (and with it by manifests, data and packages) and by the options that change bytes. Who makes what
 * is a function of the plan's images and of the number of shards alone: orders of one source and architecture stand side by side, so
 * that few machines load one index, and the row is cut where the bytes that the lock tells are even.
 * Threads: main only.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_USAGE.
 */
#ifndef IMGFACTORY_CLI_SHARDING_CALL_H
#define IMGFACTORY_CLI_SHARDING_CALL_H

#include "bill/lock.h"
#include "cli/command.h"
#include "line/batch.h"
#include "line/sharding.h"

struct sharding_call {
    bool is_given, is_assembling;
    size_t index,
        count; /* of --shard I/N; with --shard N of what is put together, or without, the index means nothing */
};

/* Reads what the options say. A plan implies --locked. */
bool sharding_call_read(struct command *command, struct sharding_call *ret_call, struct err *err) MUST_CHECK;
/* Names the plan of a lock and options, and deals the orders of the images out. */
void sharding_call_plan(struct arena *arena, const struct sharding_call *call, const struct lock *lock,
                        const struct run_options *run, const struct batch_image *images, size_t count,
                        struct sharding *ret_sharding);
/* Reads "N" or "N%M": N shards, of which M run at a time; M is N where it is not said. */
bool sharding_call_count(const char *word, size_t *ret_count, size_t *ret_parallel) MUST_CHECK;
/* Tells where the platforms of one of the images go, or are looked for. One that is pushed nowhere, and that others stand on, goes to
 * each of these: they are put together one by one. */
void sharding_call_places(struct arena *arena, const struct sharding_call *call, const struct batch_image *images,
                          size_t count, struct batch_image *image);
/* Takes the orders out of an image that are not this call's. */
void sharding_call_narrow(struct arena *arena, const struct sharding_call *call, const struct sharding *sharding,
                          struct batch_image *image);

#endif
