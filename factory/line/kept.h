/* kept.h - finished products in the store, to be used again when nothing that they depend on has changed
 *
 * Threads: the order's own.
 * Owns: nothing; what is read lives in the job's arena.
 */
#ifndef IMGFACTORY_LINE_KEPT_H
#define IMGFACTORY_LINE_KEPT_H

#include "line/job.h"

/* Names everything that a finished product depends on. */
struct digest kept_key(const struct job *job, const struct catalog *catalog);
/* Finds a finished product of the same inputs whose layer is still in the store, and takes it. */
bool kept_use(struct job *job, const struct digest *key);
/* Keeps the finished product. That it cannot be kept costs the next run time, not this run its image. */
void kept_store(struct job *job, const struct digest *key);

#endif
