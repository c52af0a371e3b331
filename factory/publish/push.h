/* push.h - publishing as a transaction: blobs, children, index, tags, each read back; a tag is never wrong
 *
 * faults.md 5.8 in short: everything is uploaded and re-checked before the first tag moves; tags with a version first,
 * floating ones (latest) last; each tag is read back. A tag without a digit, or one that another tag goes on from
 * ("4.4" beside "4.4.3"), is a floating one. When every tag already points at this index: two or three requests, and
 * "unchanged".
 * Threads: blocks; uploads run on at most `connections` threads of its own.
 * Fails with: as registry.h.
 */
#ifndef IMGFACTORY_PUBLISH_PUSH_H
#define IMGFACTORY_PUBLISH_PUSH_H

#include "image/layout_read.h"
#include "publish/registry.h"

/* One tag's move. */
struct push_tag {
    const char *name;
    bool had_old, is_moved;
    bool is_unclear;                      /* interrupted while it was set: it is at the old or the new digest */
    struct digest old_digest, new_digest; /* old: only when had_old; new: what it was to get, and has when is_moved */
};

struct push_request {
    const struct layout_image *image; /* what is pushed: index, children, configs, layers */
    const struct strings *tags;       /* at least one; platform_tags may be 0 */
    size_t connections;               /* blobs at a time; 0: 12 (of big ones http.h sends 6 at a time) */
    _Atomic uint64_t *counter;        /* bytes sent */
};

struct push_result {
    struct digest digest;
    bool is_unchanged;
    LIST(struct push_tag) tags; /* in the order they were moved */
    uint64_t sent_bytes;
    size_t blob_count, mounted_count, present_count;
};

/* Pushes one image to the repository. On failure ret_result tells what was reached (tags moved so far). */
bool push_image(struct registry *registry, struct arena *arena, const struct push_request *request,
                struct push_result *ret_result, struct err *err) MUST_CHECK;
/* Points a tag at a manifest that is in the repository already. */
bool push_tag(struct registry *registry, struct arena *arena, const struct digest *digest, const char *tag,
              struct push_tag *ret_tag, struct err *err) MUST_CHECK;

#endif
