/* SPDX-License-Identifier: Apache-2.0 */
/* The stamp of a push (stamp.h). It moves with the tags that have a version, so that there is no instant in which a floating tag is at
 * a digest that has no tag of its own. */
#include "registry/push_parts.h"
#include "registry/receipt.h"
#include "registry/registry_shared.h"
#include "registry/stamp.h"

#include "base/auto.h"
#include "base/clock.h"

#include <jansson.h>

/* A stamp that is further ahead is not followed: pruning would wait for its time as well. */
#define AHEAD_MAX_SECONDS ((int64_t)30 * 24 * 60 * 60)

#define PREFIX "org.opencontainers.image."

/* What receipts call the stamps of a repository. */
static const char *noted_as(struct arena *arena, const struct push_work *push)
{
    return arena_printf(arena, "%s stamp", push->registry->name);
}

/* What a list of tags tells of stamps. */
struct stamps {
    struct strings tags;
    int64_t last; /* of the newest */
    struct stamp_digest newest;
};

/* Reads them. A registry that does not list its tags is taken for one without; it is not pruned either. */
static bool read_stamps(const struct push_work *push, struct arena *arena, struct stamps *ret_stamps, struct err *err)
{
    struct stamps stamps = {.last = INT64_MIN};
    struct stamp_digest found;
    int64_t seconds, end = clock_date() + AHEAD_MAX_SECONDS;
    if (!registry_list_tags(push->registry, arena, &stamps.tags, err)) {
        if (err->kind != ERR_PUBLISH && err->kind != ERR_MALFORMED)
            return false;
        err_clear(err);
    }
    for (size_t i = 0; i < stamps.tags.count; i++) {
        if (!stamp_parse(stamps.tags.items[i], &seconds, &found) || seconds < stamps.last || seconds > end)
            continue;
        stamps.newest = found;
        stamps.last = seconds;
    }
    *ret_stamps = stamps;
    return true;
}

static bool has_stamp(const struct stamps *stamps, const struct digest *digest)
{
    struct stamp_digest wanted = stamp_digest_of(digest), found;
    int64_t seconds;
    for (size_t i = 0; i < stamps->tags.count; i++) {
        if (stamp_parse(stamps->tags.items[i], &seconds, &found) && strcmp(found.chars, wanted.chars) == 0)
            return true;
    }
    return false;
}

/* Whether a document may be an index that a night made before it made stamps: ours say when they were created and of which version
 * they are, and have no space in them. What another program made is not ours to delete some day. */
static bool is_like_ours(const struct push_note *note)
{
    json_auto_t *json = json_loadb(note->bytes.ptr, note->bytes.len, JSON_ALLOW_NUL, NULL);
    const json_t *annotations = json_object_get(json, "annotations");
    AUTO(auto_free) char *bytes = json ? json_dumps(json, JSON_COMPACT) : NULL;
    return layout_is_index(note->media_type) && json_object_get(annotations, PREFIX "created") &&
           json_object_get(annotations, PREFIX "version") && bytes && text_eq(text_of(bytes), note->bytes);
}

/* Whether what a tag leaves gets a stamp: it has none, or somebody went back to it since. */
static bool wants_stamp(const struct push_work *push, const struct stamps *stamps, const struct push_note *note)
{
    const struct digest *former = &note->tag->old_digest;
    struct digest bytes = digest_of(note->bytes.ptr, note->bytes.len);
    if (!note->bytes.len || note->platform || note->tag->is_kept || !digest_eq(&bytes, former))
        return false;
    if (!has_stamp(stamps, former))
        return is_like_ours(note);
    return push_tag_floats(push->request->tags, note->tag->name) &&
           strcmp(stamps->newest.chars, stamp_digest_of(former).chars) != 0;
}

static bool stamp_formers(struct push_work *push, const struct stamps *stamps, int64_t at, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings set = {0};
    bool is_missing;
    for (size_t i = 0; i < push->result->tags.count; i++) {
        const struct push_note *note = &push->notes[i];
        if (!wants_stamp(push, stamps, note))
            continue;
        const char *stamp = stamp_print(&scratch, at, &note->tag->old_digest);
        if (strings_has(&set, stamp))
            continue;
        if (!registry_put_manifest(push->registry, stamp, note->media_type, note->bytes, &is_missing, err))
            return false;
        list_add(&scratch, &set, stamp);
    }
    return true;
}

/* No stamp is older than one that is there, whatever this machine's clock says: the newest is what is current. */
static bool add_stamp(struct push_work *push, const struct stamps *stamps, struct err *err)
{
    struct push_result *result = push->result;
    size_t count = result->tags.count;
    int64_t now = clock_date(), at = now > stamps->last + 1 ? now : stamps->last + 2;
    if (!stamp_formers(push, stamps, at - 1, err))
        return false;
    struct push_note *notes = arena_new_array(push->arena, struct push_note, count + 1);
    struct push_tag stamp = {.name = stamp_print(push->arena, at, &result->digest), .new_digest = result->digest};
    list_add(push->arena, &result->tags, stamp);
    if (count)
        memcpy(notes, push->notes, count * sizeof *notes);
    for (size_t i = 0; i <= count; i++)
        notes[i].tag = &result->tags.items[i];
    push->notes = notes;
    return true;
}

bool push_add_stamp(struct push_work *push, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct stamps stamps;
    return !push->request->policy.is_stamped ||
           (read_stamps(push, &scratch, &stamps, err) && add_stamp(push, &stamps, err));
}

bool push_settle_stamp(struct push_work *push, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct push_policy *policy = &push->request->policy;
    struct stamps stamps;
    bool is_missing;
    if (!policy->is_stamped ||
        receipt_is_young(policy->receipts_dir, noted_as(&scratch, push), &push->result->digest, clock_date()))
        return true;
    if (!read_stamps(push, &scratch, &stamps, err))
        return false;
    if (!has_stamp(&stamps, &push->result->digest)) {
        registry_shared_will_push(push->registry);
        if (!add_stamp(push, &stamps, err) || !push_move_tags(push, &is_missing, err))
            return false;
    }
    push_note_stamp(push);
    return true;
}

void push_note_stamp(const struct push_work *push)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct push_policy *policy = &push->request->policy;
    if (policy->is_stamped)
        receipt_write(policy->receipts_dir, noted_as(&scratch, push), &push->result->digest, clock_date(),
                      push->registry->options->log);
}
