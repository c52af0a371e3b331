/* publish.h - one built image to its destination: the layout read back, pushed, its tags
 *
 * Threads: blocks; called by the order's thread that finished the image, or by main for `imgfactory push`.
 * Fails with: as push.h.
 */
#ifndef IMGFACTORY_LINE_PUBLISH_H
#define IMGFACTORY_LINE_PUBLISH_H

#include "registry/push.h"

/* How registries are reached: one for the whole run. */
struct publish_options {
    const char *authfile, *cert_dir; /* may be NULL */
    bool is_verify_off;
    struct strings token_origins;
    unsigned retries;
    bool is_other_there; /* another place has the same (registry.h) */
    const atomic_bool *cancel;
    const struct lock_wait *wait; /* how locks are waited for; may be NULL */
    struct push_policy policy;
};

struct publication {
    /* given */
    const char *destination;                      /* HOST/REPOSITORY, or NULL: not pushed */
    struct strings tags;                          /* none: those of the layout */
    LIST(struct push_platform_tag) platform_tags; /* `{arch}` in a template */
    /* results */
    bool is_tried, is_good;
    struct err err; /* when it was tried and is not good */
    struct push_result result;
};

/* Opens the registry object of a destination with the run's options. */
bool publish_open(struct arena *arena, const struct publish_options *options, struct http *http, struct log *log,
                  const struct reference *reference, enum registry_access access, struct registry **ret_registry,
                  struct err *err) MUST_CHECK;
/* Pushes the image that lies in `layout` under `tag` (NULL: the only one, or latest) to the publication's
 * destination, under all its tags. */
bool publish_layout(struct arena *arena, const struct publish_options *options, struct http *http, struct log *log,
                    const char *layout, const char *tag, struct publication *publication, struct err *err) MUST_CHECK;

#endif
