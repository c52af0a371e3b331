/* SPDX-License-Identifier: Apache-2.0 */
/* changes.h - what a run changed: each image beside the one that its tags had in the output before
 *
 * What was there is read before the layout is written, by its bills; why packages changed is told at the end, out of the
 * packages that the cache has: nothing is fetched for it. An image that the layout had not, or had so, is compared with what its tags
 * left in the registry, by the bills that the cache has: that asks for nothing. One that is new, or the same, has no changes; nor
 * has any when nobody is told of them.
 * Threads: changes_read() the thread that ends the image; the others main, when all have ended.
 * Owns: what is read lives in the image's arena.
 */
#ifndef IMGFACTORY_LINE_CHANGES_H
#define IMGFACTORY_LINE_CHANGES_H

#include "change/libraries.h"
#include "change/stories.h"
#include "line/batch.h"

/* What an image's tags had before, and what differs. */
struct image_changes {
    struct digest before;      /* of the index */
    LIST(struct change) items; /* one for each platform of either */
};

/* Compares what the layout has with the image that is about to be written there; gives image->changes, NULL for none. */
void changes_read(struct batch_image *image, struct plant *plant);
/* Compares what the image's tags left in the registry, when the layout had nothing else. */
void changes_read_replaced(struct batch_image *image, const struct plant *plant);
/* Tells why packages changed; and what became of libraries, unless `libraries` is NULL. */
void changes_tell(struct batch *batch, struct libraries *libraries, struct stories *stories);
/* Makes the lines of an image for the table and the summary (change_brief.h); none when nothing changed. */
struct strings changes_brief(struct arena *arena, const struct batch_image *image);
/* Makes the object of an image for the report; NULL when nothing changed. */
json_t *changes_json(const struct batch_image *image);
/* Prints all images that changed as Markdown; nothing when none did. */
void changes_print(FILE *out, const struct batch *batch);

#endif
