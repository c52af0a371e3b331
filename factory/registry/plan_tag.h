/* SPDX-License-Identifier: Apache-2.0 */
/* plan_tag.h - the tags under which the machines that share a plan find what the others made
 *
 * "imgfactory-PLAN-IMAGE-ARCH" is one platform with its bill (oci/oci_part.h); "imgfactory-PLAN-IMAGE-index" tells that the image
 * was put together (line/assembly.h); "imgfactory-PLAN-IMAGE-ARCH.1" is what the image stands on where that is published nowhere, for
 * one architecture, ".2" what that stands on. PLAN is the date of the plan's newest source and the first characters of its digest, in
 * the form of a stamp (stamp.h), so that a list of tags tells which of two plans is of newer sources.
 * Threads: no state.
 */
#ifndef IMGFACTORY_REGISTRY_PLAN_TAG_H
#define IMGFACTORY_REGISTRY_PLAN_TAG_H

#include "base/text.h"

#define PLAN_TAG_MARK "index" /* in the place of an architecture */

/* Makes the tag of an image's platform, or with PLAN_TAG_MARK of the whole. An image's name that no tag can have, or that is too
 * long for one, is shortened, and its digest's first characters stand behind it. */
const char *plan_tag(struct arena *arena, const char *plan, const char *image, const char *arch);
/* Makes the tag of what stands `depth` images below an image; 0: its own. */
const char *plan_tag_below(struct arena *arena, const char *plan, const char *image, const char *arch, size_t depth);
/* Returns the length of an architecture's name in what plan_tag_split() gives, without the depth behind it. */
size_t plan_tag_arch_len(const char *arch);
/* Splits a tag of an image: its plan, whose sources are of `*ret_date` (seconds since 1970), and what stands in the architecture's
 * place. False for any other tag. */
bool plan_tag_split(struct arena *arena, const char *tag, const char *image, const char **ret_plan, int64_t *ret_date,
                    const char **ret_arch) MUST_CHECK;

#endif
