/* SPDX-License-Identifier: Apache-2.0 */
/* sbom_image.h - images that documents are made of: opened by the command's words, with their names and platforms
 *
 * Threads: main only.
 * Owns: what is opened, until sbom_image_close(), and the cache, until sbom_image_done().
 */
#ifndef IMGFACTORY_CLI_SBOM_IMAGE_H
#define IMGFACTORY_CLI_SBOM_IMAGE_H

#include "cli/image_word.h"
#include "sbom/sbom.h"

struct sbom_platforms {
    const struct layout_manifest **items;
    size_t count, capacity;
};

struct sbom_image {
    struct image_opener opener;
    struct image_opened opened;
    size_t word_at; /* of the word that is open */
    struct sbom_name name;
    struct sbom_platforms platforms; /* those that are asked for, and are images for running */
};

/* All platforms, gathered. */
struct sbom_gathered {
    struct sbom *items;
    size_t count;
};

/* Makes ready, opens the cache. */
bool sbom_image_init(struct remote *remote, struct sbom_image *ret_image, struct err *err) MUST_CHECK;
/* Opens what a word means. Fails with: as image_open_word(); ERR_RESOLVE: it has no platform. */
bool sbom_image_open(struct sbom_image *image, size_t word_at, struct err *err) MUST_CHECK;
/* Returns the word that is open. */
const char *sbom_image_word(const struct sbom_image *image);
/* Gathers a platform, its layers fetched when it lies in a registry; what is not known of it is told as a warning. */
bool sbom_image_gather(struct sbom_image *image, struct arena *arena, const struct layout_manifest *manifest,
                       bool is_layered, struct sbom *ret_sbom, struct err *err) MUST_CHECK;
/* Gathers all; lets go of them. */
bool sbom_image_gather_all(struct sbom_image *image, bool is_layered, struct sbom_gathered *ret_gathered,
                           struct err *err) MUST_CHECK;
void sbom_gathered_done(struct sbom_gathered *gathered);
/* Close the image / everything. Accept zeroed ones, but for local.blobs_fd -1. */
void sbom_image_close(struct sbom_image *image);
void sbom_image_done(struct sbom_image *image);

#endif
