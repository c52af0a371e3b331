/* SPDX-License-Identifier: Apache-2.0 */
/* workers.h - N threads that run tasks to their end; tasks never wait for other tasks
 *
 * Whoever coordinates (main or an order's thread) submits tasks to a group and waits for the group. Tasks are taken in
 * the order in which they were submitted.
 * Threads: workers_submit() from any thread, the network thread included; a group is waited for by one thread.
 * Owns: the threads, until workers_stop().
 */
#ifndef IMGFACTORY_BASE_WORKERS_H
#define IMGFACTORY_BASE_WORKERS_H

#include "base/err.h"

#include <stddef.h>

struct workers;

typedef void workers_task(void *item);
typedef bool workers_function(void *argument, struct err *err);

/* Starts `count` threads (1 to 256). Fails with ERR_LOCAL when not one could be started; fewer than asked is fine. */
bool workers_start(size_t count, struct workers **ret_workers, struct err *err) MUST_CHECK;
/* Queues one task; `item` stays the caller's and must live until the task ended. */
void workers_submit(struct workers *workers, workers_task *task, void *item);
/* Runs a fallible function on a worker, waits for its end and returns what it returned, with its error. Never call it
 * from a task. Without workers (NULL) the calling thread runs it. */
bool workers_call(struct workers *workers, workers_function *function, void *argument, struct err *err) MUST_CHECK;
/* Runs task(items[i]) for all i and waits for the end of all. Never call it from a task. */
void workers_run_all(struct workers *workers, workers_task *task, void *const *items, size_t count);
/* Lets queued tasks end, joins the threads, frees. NULL is fine. */
void workers_stop(struct workers *workers);

#endif
