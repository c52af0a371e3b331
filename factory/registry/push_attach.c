/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on the image of a push (attach.h). */
#include "registry/push_parts.h"

/* A tag that this push made up: nobody asked for it. */
static bool is_asked_for(const struct push_request *request, const char *name)
{
    if (strings_has(request->tags, name))
        return true;
    for (size_t i = 0; i < request->platform_tag_count; i++) {
        if (strcmp(request->platform_tags[i].tag, name) == 0)
            return true;
    }
    return false;
}

bool push_ask_givers(struct push_work *push, struct err *err)
{
    const struct push_request *request = push->request;
    const struct push_result *result = push->result;
    struct attach_tag *tags = arena_new_array(push->arena, struct attach_tag, result->tags.count + 1);
    struct attach_target target = {.repository = push->registry->name, .image = request->image, .tags = tags};
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_tag *tag = &result->tags.items[i];
        if (!tag->is_kept)
            tags[target.tag_count++] =
                (struct attach_tag){tag->name, tag->new_digest, .is_passing = !is_asked_for(request, tag->name)};
    }
    push->attached = (struct attach_list){0};
    for (size_t i = 0; i < request->givers.count; i++) {
        const struct attach_giver *giver = &request->givers.items[i];
        if (!giver->give(giver->context, push->arena, &target, &push->attached, err))
            return false;
    }
    push->identity = attach_identity(&result->digest, &push->attached);
    push->identity = cargo_identity(&push->identity, request->cargo);
    return true;
}

bool push_bring_attached(struct push_work *push, struct err *err)
{
    size_t count = 0;
    if (!push->attached.documents.count && !push->attached.signatures.count)
        return true;
    bool is_done = attach_bring(push->registry, push->arena, &push->attached, push->is_new, &count, err);
    push->result->attached_count += is_done ? count : 0;
    if (!is_done)
        err_wrap(err, "what hangs on the image");
    return is_done;
}
