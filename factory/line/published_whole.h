/* SPDX-License-Identifier: Apache-2.0 */
/* published_whole.h - what is in a whole image, also below it: for whoever asks past nights (past/past_find.h)
 *
 * The bill of an image on a base tells of its own layer. What a base of ours has stands in that one's own bill; of one that was
 * made elsewhere the layers are read, once for each image that is taken down, as long as they can be had.
 * Threads: main, or the image's publishing thread.
 * Owns: nothing; what is made lives in the arena given.
 */
#ifndef IMGFACTORY_LINE_PUBLISHED_WHOLE_H
#define IMGFACTORY_LINE_PUBLISHED_WHOLE_H

#include "line/job.h"

/* Returns the bill of an order with all that a foreign base has and the image does not hide; the order's own where nothing is below,
 * where that is known (past/past.h), or cannot be read, which is told. */
const struct bill *published_whole(struct arena *arena, const struct job *job);

#endif
