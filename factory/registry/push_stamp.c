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

void push_add_stamp(struct push_work *push)
{
    struct push_result *result = push->result;
    size_t count = result->tags.count;
    if (!push->request->policy.is_stamped)
        return;
    struct push_note *notes = arena_new_array(push->arena, struct push_note, count + 1);
    struct push_tag stamp = {.name = stamp_print(push->arena, clock_date(), &result->digest),
                             .new_digest = result->digest};
    list_add(push->arena, &result->tags, stamp);
    if (count)
        memcpy(notes, push->notes, count * sizeof *notes);
    for (size_t i = 0; i <= count; i++)
        notes[i].tag = &result->tags.items[i];
    push->notes = notes;
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
        push_add_stamp(push);
        if (!push_move_tags(push, &is_missing, err))
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
