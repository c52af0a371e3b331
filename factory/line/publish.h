/* SPDX-License-Identifier: Apache-2.0 */
/* publish.h - one built image to its destination: the layout read back, pushed, its tags
 *
 * Threads: blocks; called by the order's thread that finished the image, or by main for `imgfactory push`.
 * Fails with: as push.h.
 */
#ifndef IMGFACTORY_LINE_PUBLISH_H
#define IMGFACTORY_LINE_PUBLISH_H

#include "line/progress.h"
#include "registry/push.h"

struct publication {
    /* given */
    const char *layout, *layout_tag; /* where the image lies; NULL: the only tag, or latest */
    const char *shown;               /* what messages call the layout; NULL: layout */
    const struct lock_wait *wait;    /* how the layout's lock is waited for; may be NULL */
    struct push_policy policy;
    struct push_attachment attachment;            /* of the index; type NULL: none */
    struct attach_givers givers;                  /* of what hangs on it (registry/attach.h) */
    bool are_blobs_there;                         /* as push_request has it */
    const struct push_guard *guard;               /* who may know of newer ones; may be NULL */
    struct progress_line *progress;               /* its line for people; may be NULL */
    const char *destination;                      /* HOST/REPOSITORY, or NULL: not pushed */
    struct strings tags;                          /* none: those of the layout */
    LIST(struct push_platform_tag) platform_tags; /* `{arch}` in a template */
    /* results */
    bool is_tried, is_good;
    struct err err; /* when it was tried and is not good */
    struct push_result result;
};

/* Returns the layout's names of an image as tags: of one as podman writes it (docker.io/library/x:1.0) what stands behind the last
 * colon. */
struct strings publish_tags(struct arena *arena, const struct layout_image *image);
/* Pushes the publication's image to its destination, under all its tags. Its results lie in the arena. */
bool publish_layout(struct arena *arena, const struct registry_options *options, struct http *http,
                    struct publication *publication, struct err *err) MUST_CHECK;

#endif
