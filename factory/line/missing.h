/* SPDX-License-Identifier: Apache-2.0 */
/* missing.h - an image of which some architectures could not be built: whether it goes out, and with what
 *
 * `on-missing`: it is held (it fails), or goes out with what its tag has in the registry for these architectures, or
 * without them. What is missing makes the run one that is partly done, whatever goes out.
 * Threads: by the thread that ended the image's last order; missing_keep() blocks on the network.
 * Owns: nothing; what is found lives in the image's arena, layers in the store.
 */
#ifndef IMGFACTORY_LINE_MISSING_H
#define IMGFACTORY_LINE_MISSING_H

#include "line/batch.h"

/* Lists what the image is made of (`made`), and returns whether it goes on: all is there, or what is missing is dealt with.
 * Else the image's error is that of the gravest order. */
bool missing_settle(struct batch_image *image, const struct plant *plant);
/* Gets for architectures that are missing what the first of the image's tags that is there has for them, floating tags
 * first. Fails, with the reason of the missing one, when it has nothing for one of them. */
bool missing_keep(struct batch_image *image, struct plant *plant, struct err *err) MUST_CHECK;
/* Tells the log what went out otherwise than it was asked for. */
void missing_log(const struct batch_image *image, struct log *log);
/* Lists what there is of `made`; returns how many. `items` has room for all architectures. */
size_t missing_list_made(const struct batch_image *image, const struct image **items);
/* Returns a manifest of the registry as an image that was made here, in the arena. */
struct image *missing_adopt(struct arena *arena, const struct arch *arch, const struct layout_manifest *manifest);
/* Returns the first order of the image that is good; there is one in every image that was built. */
const struct job *missing_first_good(const struct batch_image *image);

#endif
