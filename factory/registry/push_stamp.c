/* SPDX-License-Identifier: Apache-2.0 */
/* The stamp of a push (stamp.h). It moves with the tags that have a version, so that there is no instant in which a floating tag is at
 * a digest that has no tag of its own. */
#include "registry/push_parts.h"
#include "registry/receipt.h"
#include "registry/registry_shared.h"
#include "registry/stamp.h"

#include "base/auto.h"
#include "base/clock.h"

/* What receipts call the stamps of a repository. */
static const char *noted_as(struct arena *arena, const struct push_work *push)
{
    return arena_printf(arena, "%s stamp", push->registry->name);
}

/* Stamps what a tag leaves, if it has a stamp, and not the newest. */
static bool stamp_former(struct push_work *push, const struct strings *tags, const struct push_note *note,
                         struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct stamp_digest former = stamp_digest_of(&note->tag->old_digest), found, newest = {{0}};
    int64_t seconds, last = INT64_MIN;
    bool has_one = false, is_missing;
    for (size_t i = 0; i < tags->count; i++) {
        if (!stamp_parse(tags->items[i], &seconds, &found))
            continue;
        has_one = has_one || strcmp(found.chars, former.chars) == 0;
        if (seconds >= last)
            newest = found;
        last = seconds >= last ? seconds : last;
    }
    if (!has_one || strcmp(newest.chars, former.chars) == 0)
        return true;
    const char *stamp = stamp_print(&scratch, clock_date() - 1, &note->tag->old_digest);
    return registry_put_manifest(push->registry, stamp, note->media_type, note->bytes, &is_missing, err);
}

/* Of the tags that move and are of no version. */
static bool stamp_formers(struct push_work *push, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings tags;
    bool is_listed = false;
    for (size_t i = 0; i < push->result->tags.count; i++) {
        const struct push_note *note = &push->notes[i];
        if (!note->bytes.len || note->platform || note->tag->is_kept ||
            !push_tag_floats(push->request->tags, note->tag->name))
            continue;
        if (!is_listed && !registry_list_tags(push->registry, &scratch, &tags, err)) {
            bool is_refused = err->kind == ERR_PUBLISH || err->kind == ERR_MALFORMED;
            if (is_refused)
                err_clear(err); /* a registry that does not list its tags is not pruned either */
            return is_refused;
        }
        is_listed = true;
        if (!stamp_former(push, &tags, note, err))
            return false;
    }
    return true;
}

bool push_add_stamp(struct push_work *push, struct err *err)
{
    struct push_result *result = push->result;
    size_t count = result->tags.count;
    if (!push->request->policy.is_stamped)
        return true;
    if (!stamp_formers(push, err))
        return false;
    struct push_note *notes = arena_new_array(push->arena, struct push_note, count + 1);
    struct push_tag stamp = {.name = stamp_print(push->arena, clock_date(), &result->digest),
                             .new_digest = result->digest};
    list_add(push->arena, &result->tags, stamp);
    if (count)
        memcpy(notes, push->notes, count * sizeof *notes);
    for (size_t i = 0; i <= count; i++)
        notes[i].tag = &result->tags.items[i];
    push->notes = notes;
    return true;
}

/* Looks for one among the tags. A registry that does not list them is taken for one without. */
static bool has_stamp(const struct push_work *push, bool *ret_has, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings tags;
    struct stamp_digest ours = stamp_digest_of(&push->result->digest), found;
    int64_t seconds;
    *ret_has = false;
    if (!registry_list_tags(push->registry, &scratch, &tags, err)) {
        if (err->kind != ERR_PUBLISH && err->kind != ERR_MALFORMED)
            return false;
        err_clear(err);
        return true;
    }
    for (size_t i = 0; i < tags.count && !*ret_has; i++)
        *ret_has = stamp_parse(tags.items[i], &seconds, &found) && strcmp(found.chars, ours.chars) == 0;
    return true;
}

bool push_settle_stamp(struct push_work *push, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct push_policy *policy = &push->request->policy;
    bool has_one, is_missing;
    if (!policy->is_stamped ||
        receipt_is_young(policy->receipts_dir, noted_as(&scratch, push), &push->result->digest, clock_date()))
        return true;
    if (!has_stamp(push, &has_one, err))
        return false;
    if (!has_one) {
        registry_shared_will_push(push->registry);
        if (!push_add_stamp(push, err) || !push_move_tags(push, &is_missing, err))
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
