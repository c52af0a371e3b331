/* SPDX-License-Identifier: Apache-2.0 */
/* attach_parts.h - one bringing of what hangs on an image, shared by the attach*.c files (private to attach)
 *
 * Threads: struct attach_work is written by the pushing thread; steps of each_run() get items of their own.
 * Owns: each subject has an arena of its own, until attach_bring() ends.
 */
#ifndef IMGFACTORY_REGISTRY_ATTACH_PARTS_H
#define IMGFACTORY_REGISTRY_ATTACH_PARTS_H

#include "base/each.h"
#include "registry/attach.h"

/* A document on its way. */
struct attach_one {
    const struct attach_document *document;
    bool is_there;
    struct text bytes, manifest; /* it, and its artifact, once they were made */
    struct digest digest;
};

/* A manifest with what is about it. */
struct attach_subject {
    struct digest digest;
    struct arena arena;
    struct registry_referrer_list referrers;
};

/* A signature on its way. */
struct attach_mark {
    const struct attach_signature *signature;
    bool is_there;
    const char *value; /* once it was made */
};

/* A tag sha256-HEX.sig. */
struct attach_signed {
    struct digest subject;
    struct arena arena;
    struct registry_manifest manifest; /* what it is at */
    struct attach_mark *marks;         /* those of this subject, next to each other */
    size_t count;
    size_t missing_count;
    bool is_put;
};

struct attach_blob {
    struct text bytes;
    struct digest digest;
};

/* A step of the current round: all of a round run side by side. */
struct attach_task {
    each_step *step;
    void *item;
};

struct attach_work {
    struct registry *registry;
    struct arena *arena;
    LIST(struct attach_one) ones;
    LIST(struct attach_subject) subjects; /* each once */
    LIST(struct attach_blob) blobs;       /* to be uploaded, each once */
    LIST(struct attach_mark) marks;       /* sorted by subject */
    LIST(struct attach_signed) signeds;
    LIST(struct attach_task) tasks;
};

/* --- attach_signatures.c --- */

/* Puts the signatures in order, by subject. */
void attach_list_signatures(struct attach_work *work, const struct attach_list *list);
/* Looks what each tag has (a step of each_run(), of an attach_signed). */
bool attach_look_at_signed(void *context, void *item, struct err *err) MUST_CHECK;
/* Makes what is missing, and notes the blobs that it needs. */
bool attach_make_signatures(struct attach_work *work, struct err *err) MUST_CHECK;
/* Puts a tag's manifest with what was made (a step of each_run()). */
bool attach_put_signed(void *context, void *item, struct err *err) MUST_CHECK;
/* Reads it back, and puts it again until it has all (a step of each_run()). */
bool attach_settle_signed(void *context, void *item, struct err *err) MUST_CHECK;

/* Adds a blob that has to be there; its bytes live in the work's arena. */
static inline void attach_add_blob(struct attach_work *work, struct text bytes)
{
    struct attach_blob blob = {bytes, digest_of(bytes.ptr, bytes.len)};
    for (size_t i = 0; i < work->blobs.count; i++) {
        if (digest_eq(&work->blobs.items[i].digest, &blob.digest))
            return;
    }
    list_add(work->arena, &work->blobs, blob);
}

#endif
