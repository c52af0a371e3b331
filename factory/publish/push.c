/* The transaction from top to bottom. A round brings everything into the repository and reads it back; what the
 * registry lost meanwhile (quay keeps what has no tag for an hour only) or does not see yet is brought again in
 * another round. */
#include "publish/push_parts.h"

#include "base/auto.h"

#define ROUNDS_MAX 4
#define PAUSE_MS ((uint64_t)1000)

/* Blobs, children, index. When another tag of ours is at this very index, it is all there: then a look is enough. */
static bool bring_contents(struct push_work *push, int round, bool is_known, bool *ret_is_missing, struct err *err)
{
    if (round == 0 && is_known)
        return push_check_manifests(push, ret_is_missing, err);
    return push_blobs(push, round > 0, err) && push_manifests(push, ret_is_missing, err);
}

static bool publish(struct push_work *push, bool is_known, struct err *err)
{
    for (int round = 0;; round++) {
        bool is_missing = false;
        if (bring_contents(push, round, is_known, &is_missing, err) && push_move_tags(push, &is_missing, err))
            return true;
        if (!is_missing || round + 1 >= ROUNDS_MAX)
            return false;
        if (push->registry->options.log)
            log_line(push->registry->options.log, LOG_VERBOSE, "%s; everything is looked at again", err->text);
        if (!registry_sleep(push->registry, PAUSE_MS, err))
            return false;
        err_clear(err);
    }
}

/* A registry takes an index when it has all children, and some were not read. */
static bool check_children(const struct layout_image *image, struct err *err)
{
    for (size_t i = 0; i < image->manifests.count; i++) {
        const struct layout_blob *blob = &image->manifests.items[i].blob;
        if (!image->manifests.items[i].is_other)
            continue;
        err_set(err, ERR_MALFORMED,
                "the index has sha256:%s of type %s, which is no image manifest and cannot be pushed",
                digest_hex(&blob->digest).chars, blob->media_type);
        return false;
    }
    return true;
}

bool push_image(struct registry *registry, struct arena *arena, const struct push_request *request,
                struct push_result *ret_result, struct err *err)
{
    struct push_work push = {.registry = registry, .request = request, .result = ret_result, .arena = arena};
    bool are_ours, is_any_ours;
    *ret_result = (struct push_result){.digest = request->image->root.digest};
    if (!check_children(request->image, err))
        return false;
    if (!request->tags->count) {
        err_set(err, ERR_USAGE, "%s: no tag to push to", registry->name);
        return false;
    }
    push_list_blobs(&push);
    if (!push_note_tags(&push, &are_ours, &is_any_ours, err))
        return false;
    ret_result->is_unchanged = are_ours;
    if (are_ours || is_any_ours)
        ret_result->present_count = ret_result->blob_count;
    if (are_ours)
        return true;
    if (publish(&push, is_any_ours, err))
        return true;
    err_wrap(err, "push of %s", registry_digest_name(&ret_result->digest).chars);
    return false;
}

bool push_tag(struct registry *registry, struct arena *arena, const struct digest *digest, const char *tag,
              struct push_tag *ret_tag, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest manifest;
    struct digest_name name = registry_digest_name(digest);
    if (!registry_get_manifest(registry, &scratch, name.chars, &manifest, err))
        return false;
    if (!manifest.is_found) {
        err_set(err, ERR_PUBLISH, "%s@%s: there is no such manifest", registry->name, name.chars);
        return false;
    }
    const char *items[] = {tag};
    struct strings tags = {items, 1, 1};
    struct layout_image image = {.blobs_fd = -1,
                                 .root = {*digest, manifest.size_bytes, manifest.media_type},
                                 .root_bytes = {manifest.bytes, (size_t)manifest.size_bytes}};
    struct push_request request = {.image = &image, .tags = &tags};
    struct push_result result = {.digest = *digest};
    struct push_work push = {.registry = registry, .request = &request, .result = &result, .arena = arena};
    bool are_ours, is_any_ours, is_missing;
    bool is_done =
        push_note_tags(&push, &are_ours, &is_any_ours, err) && (are_ours || push_move_tags(&push, &is_missing, err));
    if (result.tags.count)
        *ret_tag = result.tags.items[0];
    return is_done;
}
