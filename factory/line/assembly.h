/* SPDX-License-Identifier: Apache-2.0 */
/* assembly.h - which plan an image was last put together of, and what the plans leave in its repository
 *
 * Beside the image's own tags lies a mark of the plan that it was put together of (registry/plan_tag.h, PLAN_TAG_MARK): a small
 * document with the index's digest and tags. Registries cannot compare and swap. So marks are looked at before tags move, and again
 * behind it: of two plans the one with the newer sources wins, whoever comes last sees the other's mark, and gives the tags back
 * to a newer plan.
 * Threads: by the thread that publishes the image.
 * Owns: nothing; all lives in the image's arena, or the one given.
 * Fails with: as registry.h.
 */
#ifndef IMGFACTORY_LINE_ASSEMBLY_H
#define IMGFACTORY_LINE_ASSEMBLY_H

#include "line/batch.h"

/* Returns whether the run puts images of a plan together. */
bool assembly_is_meant(const struct plant *plant);
/* Returns whether it does so without their layers, which stay in the registry: nobody asked for what is made of their bytes. */
bool assembly_is_bare(const struct plant *plant);
/* Looks for a mark of a newer plan, whose image then stays as it is: *ret_is_late, told. */
bool assembly_begin(struct batch_image *image, struct plant *plant, bool *ret_is_late, struct err *err) MUST_CHECK;
/* After the tags moved: leaves the mark, gives the tags back to a newer plan that came meanwhile, and deletes what this plan and older
 * ones left. What cannot be deleted is told, and no failure. */
bool assembly_end(struct batch_image *image, struct plant *plant, struct err *err) MUST_CHECK;
/* Of an image whose parts are not there: whether somebody put it together before, of this very plan or of a newer one, which takes
 * the parts of older ones away. Told; then nothing of it is this run's (is_elsewhere). */
bool assembly_was_done(struct batch_image *image, struct plant *plant);
/* Finds out whether the mark under a tag is of an image that has all of its platforms: *ret_is_whole is false, too, for what is none. */
bool assembly_is_whole(struct registry *registry, struct arena *arena, const char *tag, bool *ret_is_whole,
                       struct err *err) MUST_CHECK;

#endif
