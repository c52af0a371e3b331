/* SPDX-License-Identifier: Apache-2.0 */
/* archived.h - an image that was made goes into one file in place of a layout
 *
 * Threads: the one that ends the image.
 * Fails with: as layer/archive_write.h.
 */
#ifndef IMGFACTORY_LINE_ARCHIVED_H
#define IMGFACTORY_LINE_ARCHIVED_H

#include "line/batch.h"

/* Writes it to the archive of the run's options; what nobody asked for by its name is in none. */
bool archived_write(struct batch_image *image, const struct plant *plant, const struct image *const *made, size_t count,
                    struct err *err) MUST_CHECK;

#endif
