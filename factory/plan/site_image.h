/* SPDX-License-Identifier: Apache-2.0 */
/* site_image.h - `images:` of the site file: the images of a site, and what each or a group of them has for itself
 *
 * An item is the word of an image, as a command line names it, or a mapping with `image` (one) or `images` (a group) and
 * what these have for themselves: source, base, tags, push, architectures, parity, on-missing, keep, end-of-life. factory/registry/README.md
 * describes them.
 * Threads: main only, then const.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_USAGE with place.
 */
#ifndef IMGFACTORY_PLAN_SITE_IMAGE_H
#define IMGFACTORY_PLAN_SITE_IMAGE_H

#include "plan/tag_rules.h"

/* One image of the site. What is NULL or empty was not given. */
struct site_image {
    const char *word;                /* what the command line would say; a path is one that this process can open */
    const char *source;              /* a path, or the name of a shipped source */
    const char *base;                /* as manifests have it; a layout's path is absolute */
    const char *arch;                /* as --arch */
    const char *parity, *on_missing; /* how its architectures are kept together */
    struct strings tags;
    struct tag_rules tag_rules; /* one for each of them */
    struct tag_keep keep;       /* how long digests stay */
    bool has_end;
    int64_t end_of_life;    /* with has_end: the first second of the day from which on it is not built */
    bool has_push, is_push; /* push: true, false, or where to */
    const char *push;       /* a reference; one that ends with '/' is a folder of names */
};

struct site_images {
    struct site_image *items;
    size_t count, capacity;
};

/* Returns the table of the keys of an item. */
const struct yaml_field *site_image_keys(size_t *ret_count);
/* Reads the value of `images`. No two may have the same word. */
bool site_image_read(struct arena *arena, const struct yaml_node *node, struct site_images *ret_images,
                     struct err *err) MUST_CHECK;
/* Finds the image that a word names; NULL when the site has none. */
const struct site_image *site_image_find(const struct site_images *images, const char *word);
/* Returns whether it says of anything how long that is kept. */
bool site_image_has_keep(const struct site_image *image);
/* Returns where it says that the image of this name is pushed to; NULL when it says nothing of it. */
const char *site_image_push(struct arena *arena, const struct site_image *image, const char *name);

#endif
