/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - a shard's share of an image to the registry: each of its platforms with its bill, under a tag of the plan alone
 *
 * Threads: by the thread that ended the image's last order, or one that pushes.
 * Fails with: as publish.h and layout.h.
 */
#ifndef IMGFACTORY_LINE_PARTS_H
#define IMGFACTORY_LINE_PARTS_H

#include "line/batch.h"

/* Returns whether the run makes a shard. */
bool parts_are_made(const struct plant *plant);
/* Publishes all platforms that are good, through a layout in the output folder; what became of it is in the image's publication. */
bool parts_publish(struct batch_image *image, struct plant *plant, struct err *err) MUST_CHECK;

#endif
