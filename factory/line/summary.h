/* SPDX-License-Identifier: Apache-2.0 */
/* summary.h - what a run did in a few lines for the log of a CI: one for each image, and one for all
 *
 * Threads: main, after batch_run().
 */
#ifndef IMGFACTORY_LINE_SUMMARY_H
#define IMGFACTORY_LINE_SUMMARY_H

#include "line/batch.h"

#include <stdio.h>

/* Prints the lines. Words of an image's line are: ok or FAILED, the image, built, unchanged or the class of its error, and
 * then its index's digest, its architectures, where it was pushed and which tags moved; or the error. */
void summary_print(FILE *out, const struct batch *batch, double seconds);

#endif
