/* SPDX-License-Identifier: Apache-2.0 */
/* together.h - keeps the architectures of an image together: what differs holds it back
 *
 * A difference between architectures (parity.h) holds an image: neither a tag of the registry nor one of its layout moves,
 * which is no failure. So does its base's, when that is another image of the run. Held back for too long, a security
 * update makes the run one that is partly done.
 * Threads: together_compare() by the thread that ended the image's last order; the others by main, after batch_run().
 * Owns: nothing; what is found lives in the image's arena.
 */
#ifndef IMGFACTORY_LINE_TOGETHER_H
#define IMGFACTORY_LINE_TOGETHER_H

#include "line/batch.h"

/* Compares the architectures that are good. Where they differ and the indices have older versions, as those of RPM
 * repositories, makes the image anew of the newest packages that all have; else the image is held. Blocks. Fails with ERR_LOCAL when what is
 * in a finished product of an earlier run cannot be read. */
bool together_compare(struct batch_image *image, struct plant *plant, struct err *err) MUST_CHECK;
/* Fills in for how many nights architectures have differed, and remembers it below the state directory. Nothing of a run
 * that only asked is remembered. */
void together_note(struct batch *batch, const struct run_options *options, struct log *log);
/* Tells the log of what is held, or differs: security updates that are held for too long as errors, and first. */
void together_log(const struct batch *batch, struct log *log);
/* Returns whether any security update has been held back for longer than it may. */
bool together_is_overdue(const struct batch_image *image);
/* Returns whether of a good image something is not as it was asked for: an architecture is missing, or an update overdue. */
bool together_is_partly(const struct batch_image *image);

#endif
