/* SPDX-License-Identifier: Apache-2.0 */
/* expiry_parts.h - one pruning, shared by the expiry*.c files (private to expiry)
 *
 * Threads: struct expiry_work is written by the thread that called expiry_run(); steps of each_run() get items of their own.
 */
#ifndef IMGFACTORY_REGISTRY_EXPIRY_PARTS_H
#define IMGFACTORY_REGISTRY_EXPIRY_PARTS_H

#include "base/each.h"
#include "base/map.h"
#include "registry/expiry_memory.h"
#include "registry/registry_parts.h"

#include <stdatomic.h>

#define EXPIRY_REQUESTS ((size_t)8) /* at a time */

/* A stamp of an image. */
struct expiry_stamp {
    int64_t seconds;
    struct expiry_image *image;
};

/* A tag of an image that an entry of the site's makes. */
struct expiry_own_tag {
    const struct tag_rule *rule;
    struct expiry_image *image;
};

/* A manifest that a document names. */
struct expiry_child {
    struct digest digest;
    bool is_index;
};

struct expiry_children {
    struct expiry_child *items;
    size_t count, capacity;
};

/* A tag whose name does not tell what it is at, and what that is. */
struct expiry_tag {
    const char *name;
    struct arena arena;
    bool is_given; /* the command line says that it keeps nothing */
    bool is_ours;  /* it keeps no longer than a rule says */
    bool is_found;
    bool has_moved;                    /* somebody else moved it since it was read */
    struct digest digest, said_digest; /* of its bytes; and what the registry calls it: mostly the same */
    struct text bytes;
};

/* The tags that name what is about a manifest. */
struct expiry_about {
    struct strings tags;
};

struct expiry_work {
    struct registry *registry;
    struct arena *arena;
    const struct expiry_request *request;
    struct expiry_result *result;
    struct expiry_memory memory;
    int64_t now;                      /* the earlier of two clocks: this machine's, and the registry's */
    struct map images;                /* struct expiry_image by the first characters of their digests */
    struct map abouts;                /* struct expiry_about by the digest in hexadecimal */
    struct map needed;                /* digests (their bytes) of what stays → why, as a text */
    struct map doomed;                /* digests that are in the result's items */
    LIST(struct expiry_stamp) stamps; /* the oldest first */
    LIST(struct expiry_own_tag) own_tags;
    LIST(struct expiry_tag) others;
    atomic_size_t held_bytes; /* of what was read and is kept until the end */
    double read_seconds;      /* when the others were read last, by clock_seconds() */
    double look_seconds;      /* that the last look at them took */
};

/* --- expiry_names.c: what the names of tags tell --- */

/* Lists the tags and finds images, own tags, tags about others, and other tags; judges the images by their age. */
bool expiry_read_names(struct expiry_work *work, struct err *err) MUST_CHECK;
/* Sets is_old of all images by their stamps and own tags. */
void expiry_judge(struct expiry_work *work);
/* Finds an image by its digest; NULL when it was not published here. */
struct expiry_image *expiry_find_image(const struct expiry_work *work, const struct digest *digest);

/* --- expiry_reach.c: what stays --- */

/* Reads a manifest. What is no document (of a proxy, a page to log in) tells nothing of what is needed: ERR_MALFORMED, as when all that
 * was read has more than 512 MiB. */
bool expiry_read_manifest(struct expiry_work *work, struct arena *arena, const char *name,
                          struct registry_manifest *ret_manifest, struct err *err) MUST_CHECK;
/* Reads the other tags. */
bool expiry_read_others(struct expiry_work *work, struct err *err) MUST_CHECK;
/* Finds out what all images consist of: out of the memory, else from the registry. */
bool expiry_know_images(struct expiry_work *work, struct err *err) MUST_CHECK;
/* Notes all that stays: what tags that are not ours are at, the images that are kept, and what these need. */
bool expiry_find_needed(struct expiry_work *work, struct err *err) MUST_CHECK;
/* Notes that a digest stays, and why; false when that was known. */
bool expiry_need(struct expiry_work *work, const struct digest *digest, const char *why);
/* Returns whether it does. */
bool expiry_is_needed(const struct expiry_work *work, const struct digest *digest);
/* Returns whether other tags are no more at what they were at: somebody else is at work. A text says which. */
bool expiry_has_moved(struct expiry_work *work, const char **ret_tag, struct err *err) MUST_CHECK;

/* --- expiry_doom.c: what goes --- */

/* Lists what goes, in the order in which it is deleted. A tag that is found to hold some of it, for all its name, is added to the
 * others: then what stays is to be found again. */
bool expiry_list_doomed(struct expiry_work *work, struct err *err) MUST_CHECK;

/* --- expiry_document.c --- */

/* Tells whether bytes are a document at all. */
bool expiry_is_document(struct text bytes);
/* Reads what a document names: the manifests of an index. */
void expiry_children_of(struct arena *arena, struct text bytes, struct expiry_children *ret_children);
/* Reads its subject; false when it has none. */
bool expiry_subject_of(struct text bytes, struct expiry_child *ret_subject);
/* Returns what a template of tags becomes for an image, by what its index says of itself; NULL when that does not tell. */
const char *expiry_expand(struct arena *arena, const char *template, const char *name, struct text index);
/* A digest as the key of a map; it lives in the arena. */
struct text expiry_key(struct arena *arena, const struct digest *digest);

#endif
