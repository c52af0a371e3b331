/* together.h - waiting for several blocking things at once: short-lived threads of a coordinating thread
 *
 * For calls that wait for the network and hand their computing to the workers.
 * Threads: any but the workers and the network thread.
 */
#ifndef IMGFACTORY_BASE_TOGETHER_H
#define IMGFACTORY_BASE_TOGETHER_H

#include <stddef.h>

typedef void together_task(void *item);

/* Runs task(items[i]) for all i on at most 16 threads, the caller's being one, and waits for the end of all. Where no
 * thread can be started, the caller's does all. */
void together_run(together_task *task, void *const *items, size_t count);

#endif
