/* SPDX-License-Identifier: Apache-2.0 */
/* kept.h - finished products in the store, to be used again when nothing that they depend on has changed
 *
 * A product has the key of its inputs, of which the answers of the indices are one. What was asked is kept beside, under all
 * other inputs and the source; the same indices lead straight to their answers. So a run looks for the answers of its
 * indices, or else asks the questions of the last run again, and then for the product.
 * Threads: the order's own.
 * Owns: nothing; what is read lives in the job's arena, or in the file that the job keeps mapped.
 */
#ifndef IMGFACTORY_LINE_KEPT_H
#define IMGFACTORY_LINE_KEPT_H

#include "line/job.h"
#include "line/order.h"
#include "line/questions.h"

/* Returns everything that the order's product depends on but the answers of the indices, which are not known yet. */
struct inputs kept_inputs(struct job *job, const struct catalog *catalog);
/* Finds a finished product of the bill's inputs and of the answers that the order's catalog gives, whose layers are still
 * in the store, and takes it. Blocks. */
bool kept_use(const struct order *order, struct job *job);
/* Notes what was asked and answered up to now: the last of the inputs. */
void kept_note(const struct questions *questions, struct job *job);
/* Keeps the finished product under the key of its inputs. That it cannot be kept costs the next run time, not this
 * run its image. */
void kept_store(struct job *job);

#endif
