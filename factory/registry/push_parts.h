/* SPDX-License-Identifier: Apache-2.0 */
/* push_parts.h - one image's way to the registry, shared by the push_*.c files (private to push)
 *
 * Threads: struct push is written by the thread that called push_image(); steps of each_run() get items of their own.
 */
#ifndef IMGFACTORY_REGISTRY_PUSH_PARTS_H
#define IMGFACTORY_REGISTRY_PUSH_PARTS_H

#include "base/each.h"
#include "registry/push.h"
#include "registry/registry_parts.h"

#define PUSH_DEFAULT_CONNECTIONS ((size_t)12) /* of big bodies http.h sends 6 at a time */
#define PUSH_SMALL_REQUESTS ((size_t)16)      /* HEADs and manifests at once */

/* A blob of any platform, or of several. */
struct push_blob {
    struct layout_blob blob;
    enum blob_presence presence;
};

struct push_blobs {
    struct push_blob *items;
    size_t count, capacity;
};

struct push_work {
    struct registry *registry;
    const struct push_request *request;
    struct push_result *result;
    struct arena *arena;
    struct push_blobs blobs; /* each digest once, the biggest first */
    struct push_note *notes; /* one for each of result->tags; see push_note_tags() */
    bool is_new;             /* none of the tags exists: the blobs most probably do not either */
    bool is_known;           /* one of the tags is at our root already: so all is there, most probably */
    struct attach_list attached;
    struct digest identity; /* attach_identity(): what receipts are about */
    bool is_attached;       /* the request's document is at the root */
    bool is_counted;        /* result->present_count is made */
    bool is_first_round;    /* nothing was found missing yet */
};

/* The items of an array for each_run(); after a failure no further one is begun. */
static inline struct each_items push_items(void *items, size_t count, size_t each_bytes, size_t threads_max)
{
    return (struct each_items){items, count, each_bytes, threads_max, .is_stopping = true};
}

/* --- push_blobs.c --- */

/* How likely the blobs are there: it decides how they are asked for. */
enum push_guess {
    PUSH_GUESS_ABSENT,  /* the repository is new: a POST that would mount them is the question */
    PUSH_GUESS_UNKNOWN, /* HEAD */
    PUSH_GUESS_PRESENT, /* HEAD, and GET before one counts as lost */
};

/* Returns whether a layer is not for registries. */
bool push_is_foreign(const struct layout_blob *blob);
/* Lists the blobs of all platforms. */
void push_list_blobs(struct push_work *push);
/* Asks for all of them; nothing is sent. */
bool push_look_blobs(struct push_work *push, enum push_guess guess, struct err *err) MUST_CHECK;
/* Brings all blobs into the repository. */
bool push_blobs(struct push_work *push, enum push_guess guess, struct err *err) MUST_CHECK;

/* --- push_manifests.c --- */

/* Puts the children, then the index, by digest; reads all of them back. *ret_is_missing: what was there is gone or not
 * there yet (err is set): worth another round. */
bool push_manifests(struct push_work *push, bool *ret_is_missing, struct err *err) MUST_CHECK;
/* Makes those of them that have a subject findable from it; they are there. */
bool push_attach(struct push_work *push, struct err *err) MUST_CHECK;
/* Looks for the children of an index that is there, and puts those that are gone. */
bool push_mend_manifests(struct push_work *push, bool *ret_is_missing, struct err *err) MUST_CHECK;

/* --- push_tags.c --- */

/* What a tag is at now, as push_note_tags() found it. */
struct push_note {
    struct push_tag *tag;
    const struct push_platform_tag *platform; /* whose tag it is; NULL: of the root */
    bool is_ours;                             /* the tag is where it is to be */
    struct arena arena;
    struct text bytes;      /* of the document that it is at and that is not ours; else empty */
    const char *media_type; /* of that */
};

/* Lists the tags in the order they are to be moved, and notes what they point at; sets is_new and is_known.
 * *ret_are_ours: all are where they are to be, or kept where they are. The caller calls push_forget_notes(). */
bool push_note_tags(struct push_work *push, bool *ret_are_ours, struct err *err) MUST_CHECK;
/* Frees the notes. For AUTO(). */
void push_forget_notes(struct push_work *push);
/* Moves the tags that are not ours yet, the floating ones last, and reads each back. */
bool push_move_tags(struct push_work *push, bool *ret_is_missing, struct err *err) MUST_CHECK;

/* --- push_attach.c --- */

/* Asks the givers what is to hang on the image with the tags as they are listed by now; sets `identity`. */
bool push_ask_givers(struct push_work *push, struct err *err) MUST_CHECK;
/* Brings what of it is missing. */
bool push_bring_attached(struct push_work *push, struct err *err) MUST_CHECK;

/* --- push_stamp.c --- */

/* Adds a stamp of the root to the tags that are moved, newer than all that are there. What they leave, and somebody went back to since it
 * was stamped, gets another one first: it was current until now. So does an index that has none, when it is of the nights before there were stamps. */
bool push_add_stamp(struct push_work *push, struct err *err) MUST_CHECK;
/* Gives an image that is there a stamp if it has none. */
bool push_settle_stamp(struct push_work *push, struct err *err) MUST_CHECK;
/* Notes that it has one. */
void push_note_stamp(const struct push_work *push);

/* --- push_platforms.c --- */

/* Checks that no tag loses platforms when it moves; `after`: those of the root. ERR_USAGE, and result->loss tells. */
bool push_check_platforms(struct push_work *push, const struct platforms *after, struct err *err) MUST_CHECK;

/* --- push_labels.c --- */

/* What quay reads labels of: a manifest and its config, which may be empty. */
struct push_labelled {
    struct text manifest, config;
};

/* Refuses (ERR_USAGE) to point a floating tag of the push at an image with labels or annotations, alike in all its
 * manifests, that would make quay end the tag or keep it there. */
bool push_check_labels(const struct push_work *push, const struct push_labelled *items, size_t count,
                       struct err *err) MUST_CHECK;

/* --- push_reach.c --- */

/* What a root document in the registry needs, as it is there. */
struct push_reach {
    struct push_blobs blobs; /* each digest once, without the configs of images: they were seen */
    LIST(struct push_labelled) labelled;
};

/* Gets all manifests and configs below a root document. ERR_PUBLISH names the first that is not there. */
bool push_find_reach(struct registry *registry, struct arena *arena, struct text root, struct push_reach *ret_reach,
                     struct err *err) MUST_CHECK;

#endif
