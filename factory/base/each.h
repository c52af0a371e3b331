/* SPDX-License-Identifier: Apache-2.0 */
/* each.h - one step for every item of an array, several at once: short-lived threads of a coordinating thread
 *
 * For steps that wait for the network and hand their computing to the workers.
 * Threads: each_run() by any but the workers and the network thread (with threads_max 1 by them, too).
 * Fails with: what the steps fail with.
 */
#ifndef IMGFACTORY_BASE_EACH_H
#define IMGFACTORY_BASE_EACH_H

#include "base/err.h"

#include <stddef.h>

/* Does one item; `context` is what all items share. */
typedef bool each_step(void *context, void *item, struct err *err);

struct each_items {
    void *items;
    size_t count, each_bytes;
    size_t threads_max; /* the caller's is one of them; 0: 16 */
    bool is_stopping;   /* after a failure no further item is begun; else all are, and the error depends on no timing */
};

/* Does the step for all items, waits for the end of all, and reports the gravest failure, of several the first in the
 * array. Where no thread can be started, the caller's does all. */
bool each_run(struct each_items items, each_step *step, void *context, struct err *err) MUST_CHECK;

#endif
