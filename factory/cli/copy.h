/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h - `imgfactory copy`: images with all that hangs on them, from a registry or a layout to a registry
 *
 * Documents are copied as they are: no digest changes. What the target lacks alone is fetched, and only when it cannot be mounted. The push
 * is the transaction of push.h: what hangs on the image is there before the first tag moves. A message names the side that failed.
 * Threads: main.
 * Fails with: as registry.h, push.h, cargo.h.
 */
#ifndef IMGFACTORY_CLI_COPY_H
#define IMGFACTORY_CLI_COPY_H

#include "cli/remote_parts.h"
#include "oci/cargo.h"

/* An image that is copied, and where it lies. */
struct copy_source {
    struct remote_image remote; /* of a registry */
    struct layout_image local;  /* of a layout */
    struct cargo cargo;
    struct store *store;
    const char *word;       /* what it was called */
    const char *repository; /* in its registry: "host/repository"; NULL: of a layout */
    struct strings tags;    /* it has there; none: it was asked for by its digest */
    struct cargo_blobs blobs;
};

/* Returns the image itself. */
static inline const struct layout_image *copy_image(const struct copy_source *source)
{
    return source->repository ? &source->remote.image : &source->local;
}

/* Opens what one of the command's words means, and finds what hangs on it; the bytes of a layout are checked. The caller closes it. */
bool copy_open(struct remote *remote, struct store *store, size_t word_at, struct copy_source *ret_source,
               struct err *err) MUST_CHECK;
/* Opens an image of a layout likewise. */
bool copy_open_layout(struct remote *remote, struct store *store, const struct layout_choice *choice,
                      struct copy_source *ret_source, struct err *err) MUST_CHECK;
/* Copies it to a registry, and tells. Without a tag in the target it gets those of the source. */
bool copy_push(struct remote *remote, struct copy_source *source, const char *target, struct err *err) MUST_CHECK;
/* Closes it. Accepts a zeroed one whose local.blobs_fd is -1. For AUTO(). */
void copy_close(struct copy_source *source);
/* What is asked of each source's signatures; in the command's arena. */
struct verify; /* cli/verify.h */

struct copy_verifies {
    struct verify *items;
    size_t count;
};
/* Checks the call, and reads keys and policies for its sources, before anything is confined. The caller calls copy_end(). */
bool copy_begin(struct command *command, struct copy_verifies *ret_verifies, struct err *err) MUST_CHECK;
void copy_end(struct copy_verifies *verifies);
/* The command; remote->verify is the first of the sources'. */
bool copy_run(struct remote *remote, struct err *err) MUST_CHECK;

#endif
