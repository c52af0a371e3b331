/* SPDX-License-Identifier: Apache-2.0 */
/* push.h - publishing as a transaction: blobs, children, index, tags, each read back; a tag is never wrong
 *
 * faults.md 5.8 in short: everything is uploaded and re-checked before the first tag moves; tags with a version first,
 * floating ones (latest) last; each tag is read back. A tag without a digit, or one that another tag goes on from
 * ("4.4" beside "4.4.3"), is a floating one. When every tag already points at this index and the last look at all it
 * needs is younger than a week (receipt.h): one request per tag, and "unchanged"; else everything is asked for, and
 * what the registry lost is brought again. A tag is refused (ERR_USAGE) before anything is sent when it would lose
 * platforms, or when it floats and labels would make quay end it. Where all tags are kept where they are, nothing is
 * sent. With `is_stamped` each push that moves a tag makes a stamp; an unchanged image that has none gets one (looked for in the list
 * of tags when the last look is a week old).
 * Threads: blocks; uploads run on at most `connections` threads of its own.
 * Fails with: as registry.h.
 */
#ifndef IMGFACTORY_REGISTRY_PUSH_H
#define IMGFACTORY_REGISTRY_PUSH_H

#include "oci/cargo.h"
#include "oci/layout_read.h"
#include "oci/platforms.h"
#include "registry/attach.h"
#include "registry/registry.h"

/* One tag's move. */
struct push_tag {
    const char *name;
    bool had_old, is_moved;
    bool is_kept;                         /* it is at another image and stays there, as the policy or the guard says */
    bool is_unclear;                      /* interrupted while it was set: it is at the old or the new digest */
    struct digest old_digest, new_digest; /* old: only when had_old; new: what it was to get, and has when is_moved */
};

/* A tag of one platform of the image. */
struct push_platform_tag {
    struct digest digest; /* of the platform's manifest */
    const char *tag;
    bool is_floating; /* nothing but the architecture's name in it may be a version */
};

/* What the operator wants of every push. */
struct push_policy {
    const char *receipts_dir;        /* where looks at registries are remembered (made when needed); NULL: nowhere */
    bool is_look_forced;             /* --verify-remote: whatever is remembered */
    bool may_lose_platforms;         /* --allow-fewer-platforms */
    bool are_tags_kept;              /* --keep-existing-tags: one with a version that is at another image stays there */
    bool is_stamped;                 /* a digest that is published gets a stamp (stamp.h), before any other tag moves */
    const struct strings *immutable; /* tags that stay where they are once they are there; may be NULL */
};

/* Somebody who may know that what a tag is at came after the image that is pushed. Asked by the thread that pushes, of a tag
 * that would move away from there; then no tag moves, and nothing is sent. */
struct push_guard {
    bool (*is_newer)(void *context, const struct digest *there);
    void *context;
};

/* A document that is attached to the root before any tag moves (artifact.h). */
struct push_attachment {
    const char *type; /* NULL: none */
    struct text document;
};

struct push_request {
    const struct layout_image *image; /* what is pushed: index, children, configs, layers */
    const struct strings *tags;       /* of the index; at least one */
    const struct push_platform_tag *platform_tags;
    size_t platform_tag_count;
    struct push_policy policy;
    const struct push_guard *guard; /* NULL: none */
    struct push_attachment attachment;
    struct attach_givers givers;     /* of what is to hang on the image before any tag moves (attach.h) */
    const char *mount_from;          /* a repository of the registry that may have some of the blobs; or NULL */
    const struct cargo_blobs *blobs; /* who opens blobs, as they are needed; NULL: the image's layout */
    const struct cargo
        *cargo; /* what is brought with the image as it is, before any tag moves (cargo.h); NULL: nothing */
    bool
        are_blobs_there; /* somebody pushed them before: they are looked for first, and one that is not there is ERR_PUBLISH */
    size_t connections;        /* blobs at a time; 0: 12 (of big ones http.h sends 6 at a time) */
    _Atomic uint64_t *counter; /* bytes sent; may be NULL */
    _Atomic uint64_t *total;   /* bytes of blobs that have to be sent are added; may be NULL */
};

struct push_result {
    struct digest digest;
    bool is_unchanged;
    bool is_left;               /* unchanged since the guard knew a newer one */
    struct digest replaced;     /* the index that the first tag which moved was at; zeros: none was at any */
    struct text replaced_bytes; /* of it; in the arena */
    LIST(struct push_tag) tags; /* in the order they were moved; those of platforms last */
    uint64_t sent_bytes;
    size_t blob_count, present_count;
    size_t attached_count;      /* documents and signatures that were missing, and are there now */
    size_t mended_count;        /* blobs and manifests that the registry had lost, of an image that it had */
    struct platforms_loss loss; /* with ERR_USAGE: what tags would lose; memory in the arena */
};

/* Returns whether a tag names no version, or another of the tags goes on where it ends. What an architecture is called
 * is no version. */
bool push_tag_floats(const struct strings *tags, const char *tag);
/* Pushes one image to the repository. On failure ret_result tells what was reached (tags moved so far). */
bool push_image(struct registry *registry, struct arena *arena, const struct push_request *request,
                struct push_result *ret_result, struct err *err) MUST_CHECK;
/* Points a tag at a manifest that is in the repository already, with all that it needs (ERR_PUBLISH names what is
 * missing). `result` as for push_image(). */
bool push_tag(struct registry *registry, struct arena *arena, const struct digest *digest, const char *tag,
              const struct push_policy *policy, struct push_result *ret_result, struct err *err) MUST_CHECK;

#endif
