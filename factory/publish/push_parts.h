/* push_parts.h - one image's way to the registry, shared by the push_*.c files (private to push)
 *
 * Threads: struct push is written by the thread that called push_image(); tasks of push_each() get items of their own.
 */
#ifndef IMGFACTORY_PUBLISH_PUSH_PARTS_H
#define IMGFACTORY_PUBLISH_PUSH_PARTS_H

#include "publish/push.h"
#include "publish/registry_parts.h"

#define PUSH_DEFAULT_CONNECTIONS ((size_t)12) /* of big bodies http.h sends 6 at a time */
#define PUSH_SMALL_REQUESTS ((size_t)16)      /* HEADs and manifests at once */

/* A blob of any platform, or of several. */
struct push_blob {
    struct layout_blob blob;
    bool is_there;
};

struct push_work {
    struct registry *registry;
    const struct push_request *request;
    struct push_result *result;
    struct arena *arena;
    LIST(struct push_blob) blobs; /* each digest once, the biggest first */
    bool is_new;                  /* none of the tags exists: the blobs most probably do not either */
};

/* Does one item of an array; `context` is what all items share. */
typedef bool push_step(void *context, void *item, struct err *err);

struct push_items {
    void *items;
    size_t count, each_bytes, threads_max;
};

/* Does step for all items on threads of its own, and reports the gravest failure. After a failure no further item is
 * begun. */
bool push_each(struct push_items items, push_step *step, void *context, struct err *err) MUST_CHECK;

/* Lists the blobs of all platforms. */
void push_list_blobs(struct push_work *push);
/* Brings all blobs into the repository. With is_again they are looked for first, whatever was known. */
bool push_blobs(struct push_work *push, bool is_again, struct err *err) MUST_CHECK;
/* Puts the children, then the index, by digest; reads all of them back. *ret_is_missing: what was there is gone or not
 * there yet (err is set): worth another round. */
bool push_manifests(struct push_work *push, bool *ret_is_missing, struct err *err) MUST_CHECK;
/* Reads children and root back without putting anything; false with *ret_is_missing when one is not there. */
bool push_check_manifests(struct push_work *push, bool *ret_is_missing, struct err *err) MUST_CHECK;
/* Lists the tags in the order they are to be moved, and notes what they point at. *ret_are_ours: all are at our root;
 * *ret_is_any_ours: one is. */
bool push_note_tags(struct push_work *push, bool *ret_are_ours, bool *ret_is_any_ours, struct err *err) MUST_CHECK;
/* Moves the tags that are not ours yet, the floating ones last, and reads each back. */
bool push_move_tags(struct push_work *push, bool *ret_is_missing, struct err *err) MUST_CHECK;

#endif
