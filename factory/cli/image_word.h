/* SPDX-License-Identifier: Apache-2.0 */
/* image_word.h - the image that a word of diff or sbom means: a layout's, an archive's, a registry's, or one by its digest
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_IMAGE_WORD_H
#define IMGFACTORY_CLI_IMAGE_WORD_H

#include "cli/remote_parts.h"

/* How words are opened. */
struct image_opener {
    struct remote *remote;
    struct arena *arena;
    struct wanted arches;
    struct layout_wanted wanted;
    struct store *store; /* NULL: there is none yet; it is opened when it is needed, and is the caller's to close */
};

/* An opened image. */
struct image_opened {
    struct layout_image local;
    struct remote_image remote; /* its registry is set when the image lies in one */
    const struct layout_image *image;
};

/* Reads --arch. */
bool image_opener_init(struct remote *remote, struct image_opener *ret_opener, struct err *err) MUST_CHECK;
/* Opens the cache, for what is not in layouts; what was derived in it counts by the state's secret. */
bool image_opener_open_store(struct image_opener *opener, struct err *err) MUST_CHECK;
/* Opens what one of the command's words means, documents only. Fails with: as layout_read.h, pull.h; ERR_RESOLVE (no such digest,
 * or architecture), ERR_USAGE (no such layout). */
bool image_open_word(struct image_opener *opener, size_t word_at, struct image_opened *ret_opened,
                     struct err *err) MUST_CHECK;
/* Closes it; accepts one with local.blobs_fd -1 and nothing else. For AUTO(). */
void image_opened_close(struct image_opened *opened);
/* Brings the layers of one platform into the store. */
bool image_word_fetch(struct image_opener *opener, struct registry *registry, const struct layout_manifest *manifest,
                      struct err *err) MUST_CHECK;

#endif
