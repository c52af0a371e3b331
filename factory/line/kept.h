/* kept.h - finished products in the store, to be used again when nothing that they depend on has changed
 *
 * Threads: the order's own.
 * Owns: nothing; what is read lives in the job's arena.
 */
#ifndef IMGFACTORY_LINE_KEPT_H
#define IMGFACTORY_LINE_KEPT_H

#include "line/job.h"

/* Returns everything that the order's product depends on. */
struct inputs kept_inputs(struct job *job, const struct catalog *catalog);
/* Finds a finished product of the bill's inputs whose layers are still in the store, and takes it. */
bool kept_use(struct job *job);
/* Keeps the finished product under the key of its inputs. That it cannot be kept costs the next run time, not this
 * run its image. */
void kept_store(struct job *job);

#endif
