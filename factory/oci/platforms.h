/* SPDX-License-Identifier: Apache-2.0 */
/* platforms.h - which platforms an image is for, and which of them another image would no longer serve
 *
 * OCI image-spec image-index.md ("platform") and config.md. Attestations and entries of no known platform are none.
 * What cannot be read has no platforms: these lists protect what is known to be there, they prove nothing.
 * Threads: no state.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_OCI_PLATFORMS_H
#define IMGFACTORY_OCI_PLATFORMS_H

#include "oci/layout_read.h"

struct platform {
    const char *os, *architecture, *variant; /* variant may be NULL */
};

struct platforms {
    struct platform *items;
    size_t count, capacity;
};

/* What a tag would lose. */
struct platforms_loss {
    struct platforms lost, all; /* all: those that the tag has, and those of the image that was to take it */
};

/* What a root document tells of its platforms. */
enum platforms_found {
    PLATFORMS_NONE,      /* nothing: not an image that is known */
    PLATFORMS_LISTED,    /* an index: they were added */
    PLATFORMS_IN_CONFIG, /* a single manifest: its config tells, see platforms_add_config() */
};

/* Adds the platforms that an index lists, or gives the config of a manifest. */
enum platforms_found platforms_read(struct arena *arena, struct text document, struct platforms *platforms,
                                    struct digest *ret_config);
/* Adds the platform that an image's config names. */
void platforms_add_config(struct arena *arena, struct text config, struct platforms *platforms);
/* Adds one platform, once. */
void platforms_add(struct arena *arena, struct platforms *platforms, const char *os, const char *architecture,
                   const char *variant);
/* Returns whether what is for this platform (os NULL: Linux) runs on one of those wanted. */
bool platforms_want(const struct platforms *wanted, const char *os, const char *architecture, const char *variant);
/* Lists those of an image, whether they were read or not. */
void platforms_of_image(struct arena *arena, const struct layout_image *image, struct platforms *platforms);
/* Finds those of `before` for which `after` has nothing that runs there: another variant of the same architecture does
 * when it is an older or the common one (arm/v6 on arm/v7). Adds them to the loss; returns whether any. */
bool platforms_lose(struct arena *arena, const struct platforms *before, const struct platforms *after,
                    struct platforms_loss *loss);
/* Returns "linux/amd64, linux/arm64/v8". */
const char *platforms_print(struct arena *arena, const struct platforms *platforms);

#endif
