/* SPDX-License-Identifier: Apache-2.0 */
/* image_notes.h - what people should know of an image, on the log: each thing once for all of its architectures
 *
 * Threads: any thread, once all orders of the image are done.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_LINE_IMAGE_NOTES_H
#define IMGFACTORY_LINE_IMAGE_NOTES_H

#include "line/batch.h"

/* Writes the notes of the bills to the log: what all architectures have in common, or some, in one line. */
void image_notes_log(const struct batch_image *image, struct log *log);

#endif
