/* SPDX-License-Identifier: Apache-2.0 */
/* locking.h - lock files and the command line: `imgfactory lock`, and --locked of a build
 *
 * Threads: main only; the lock is read before threads are confined, and written by the keeper (confinement.h).
 * Writes: the lock, and the plan of layers (plan/layer_plan.h) when an image wants one.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: ERR_USAGE (no lock there, options that do not go together), ERR_TRUST and ERR_MALFORMED (bill/lock.h),
 * ERR_RESOLVE (--check: something is new), ERR_LOCAL.
 */
#ifndef IMGFACTORY_CLI_LOCKING_H
#define IMGFACTORY_CLI_LOCKING_H

#include "bill/lock.h"
#include "cli/command.h"
#include "line/batch.h"

struct locking {
    bool is_writing;  /* set before locking_begin(): the call writes a lock */
    const char *path; /* of the lock; NULL: the call has nothing to do with one */
    bool is_there;    /* there was one, which is in: */
    struct lock lock;
    struct strings moving; /* packages of --update: they alone move, and what they need to */
    bool has_pins;         /* what is pinned is taken: */
    struct pins pins;
    const char *layer_plan_path; /* beside the lock, which need not be there */
    bool has_layer_plan;         /* it is there, and in: */
    struct layer_plan layer_plan;
};

/* Finds and reads the lock that the options mean, and the plan of layers beside it. `names` are the images that were asked for; words behind --update that are
 * packages of the lock, and no images of it, are taken from them. */
bool locking_words(struct command *command, struct strings *names, struct locking *locking, struct err *err) MUST_CHECK;
/* Prepares what the options mean for the lock that was read. */
void locking_begin(struct command *command, struct locking *locking);
/* Prepares a locked build, or an update of packages: what the folder of --vendor has comes into the store, which keeps what the
 * lock of a build names. */
bool locking_take(struct command *command, const struct locking *locking, struct plant *plant,
                  struct err *err) MUST_CHECK;
/* Ends `imgfactory lock`: writes what a batch took, if all of it is good, and tells. */
bool locking_end(struct command *command, struct locking *locking, const struct batch *batch, struct plant *plant,
                 struct err *err) MUST_CHECK;

#endif
