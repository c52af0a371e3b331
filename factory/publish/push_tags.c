/* Tags: those with a version first, all at once; then the floating ones ("latest", or "4.4" beside "4.4.3"). */
#include "publish/push_parts.h"

#include "base/auto.h"

static bool has_digit(const char *tag)
{
    return strpbrk(tag, "0123456789") != NULL;
}

/* A tag floats when it names no version, or when another tag goes on where it ends. */
static bool is_floating(const struct strings *tags, const char *tag)
{
    size_t len = strlen(tag);
    for (size_t i = 0; i < tags->count; i++) {
        const char *other = tags->items[i];
        if (strncmp(other, tag, len) == 0 && other[len] && strchr(".-_", other[len]))
            return true;
    }
    return !has_digit(tag);
}

static bool has_tag(const struct push_result *result, const char *name)
{
    for (size_t i = 0; i < result->tags.count; i++) {
        if (strcmp(result->tags.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool list_tags(struct push_work *push, struct err *err)
{
    const struct strings *tags = push->request->tags;
    for (int group = 0; group < 2; group++) {
        for (size_t i = 0; i < tags->count; i++) {
            const char *tag = tags->items[i];
            if (!reference_is_tag(tag)) {
                err_set(err, ERR_USAGE, "%s: \"%s\" is not a valid tag", push->registry->name, tag);
                return false;
            }
            if (is_floating(tags, tag) == (group == 1) && !has_tag(push->result, tag))
                list_add(push->arena, &push->result->tags,
                         (struct push_tag){.name = arena_strdup(push->arena, tag), .new_digest = push->result->digest});
        }
    }
    return true;
}

/* Bytes and header of an answer say different digests: the right one is that which the registry knows. */
static bool settle_digest(struct push_work *push, struct registry_manifest *manifest, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest known;
    if (!manifest->has_said || digest_eq(&manifest->said_digest, &manifest->digest))
        return true;
    struct digest_name name = registry_digest_name(&manifest->digest);
    if (!registry_head_manifest(push->registry, &scratch, name.chars, &known, err))
        return false;
    if (!known.is_found)
        manifest->digest = manifest->said_digest;
    return true;
}

/* What a tag points at, by its bytes: the old digest is what a rollback needs. A 403 only says that the registry
 * will not tell; writing will show. */
static bool note_tag(void *context, void *item, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct push_work *push = context;
    struct push_tag *tag = item;
    struct registry_manifest manifest;
    if (!registry_get_manifest(push->registry, &scratch, tag->name, &manifest, err)) {
        if (err->kind != ERR_PUBLISH || err->detail != 403)
            return false;
        err_clear(err);
        return true;
    }
    if (manifest.is_found && !settle_digest(push, &manifest, err))
        return false;
    tag->had_old = manifest.is_found;
    tag->old_digest = manifest.digest;
    return true;
}

static bool is_ours(const struct push_work *push, const struct push_tag *tag)
{
    return tag->had_old && digest_eq(&tag->old_digest, &push->result->digest);
}

/* The first one alone: it learns how the registry wants to be talked to. */
bool push_note_tags(struct push_work *push, bool *ret_are_ours, bool *ret_is_any_ours, struct err *err)
{
    struct push_result *result = push->result;
    *ret_are_ours = true;
    *ret_is_any_ours = false;
    if (!list_tags(push, err))
        return false;
    struct push_items rest = {result->tags.items + 1, result->tags.count - 1, sizeof *result->tags.items,
                              PUSH_SMALL_REQUESTS};
    if (!note_tag(push, &result->tags.items[0], err) || !push_each(rest, note_tag, push, err))
        return false;
    push->is_new = true;
    for (size_t i = 0; i < result->tags.count; i++) {
        bool ours = is_ours(push, &result->tags.items[i]);
        *ret_are_ours = *ret_are_ours && ours;
        *ret_is_any_ours = *ret_is_any_ours || ours;
        push->is_new = push->is_new && !result->tags.items[i].had_old;
    }
    return true;
}

/* A tag on its way. */
struct moving {
    struct push_tag *tag;
    bool is_missing;
};

/* Reads the tag back until it is ours; a registry may need a moment. */
static bool read_back(struct push_work *push, struct push_tag *tag, struct err *err)
{
    struct retry retry = {0};
    bool is_found, is_it;
    for (;;) {
        if (!registry_manifest_is(push->registry, tag->name, &push->result->digest, &is_found, &is_it, err))
            return false;
        tag->is_moved = is_it && !is_ours(push, tag);
        if (is_it)
            return true;
        err_set(err, ERR_TRUST, "%s:%s: after it was set, the tag %s", push->registry->name, tag->name,
                is_found ? "points at something else (did someone else move it?)" : "is not there");
        if (!registry_back_off(push->registry, &retry, 0, err))
            return false;
    }
}

/* Puts the tag and looks what it is now, even after a failure: the report must agree with the registry. */
static bool set_tag(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct moving *moving = item;
    struct push_tag *tag = moving->tag;
    const struct layout_image *image = push->request->image;
    struct err unseen = {0};
    bool is_found, is_it = false;
    if (registry_put_manifest(push->registry, tag->name, image->root.media_type, image->root_bytes, &moving->is_missing,
                              err))
        return read_back(push, tag, err);
    if (err->kind != ERR_CANCELLED &&
        registry_manifest_is(push->registry, tag->name, &push->result->digest, &is_found, &is_it, &unseen))
        tag->is_moved = is_it && !is_ours(push, tag);
    if (is_it)
        err_clear(err);
    return is_it;
}

/* No tag is begun after a signal; one that was begun has a moment to end, so that the report is true. */
static bool move_tag(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct push_tag *tag = ((struct moving *)item)->tag;
    const atomic_bool *cancel = push->registry->options.cancel;
    if (cancel && atomic_load(cancel)) {
        err_set(err, ERR_CANCELLED, "interrupted before the tag %s was set", tag->name);
        return false;
    }
    bool is_set = set_tag(context, item, err);
    tag->is_unclear = !is_set && err->kind == ERR_CANCELLED;
    if (tag->is_unclear)
        err_wrap(
            err,
            "interrupted while the tag %s was set: it may be the old or the new image; look with imgfactory inspect",
            tag->name);
    return is_set;
}

static bool move_group(struct push_work *push, bool is_floating_group, bool *ret_is_missing, struct err *err)
{
    struct push_result *result = push->result;
    LIST(struct moving) group = {0};
    for (size_t i = 0; i < result->tags.count; i++) {
        struct push_tag *tag = &result->tags.items[i];
        bool is_in_group = is_floating(push->request->tags, tag->name) == is_floating_group;
        if (is_in_group && !tag->is_moved && !is_ours(push, tag))
            list_add(push->arena, &group, (struct moving){.tag = tag});
    }
    struct push_items items = {group.items, group.count, sizeof *group.items, PUSH_SMALL_REQUESTS};
    bool is_done = push_each(items, move_tag, push, err);
    for (size_t i = 0; i < group.count; i++)
        *ret_is_missing = *ret_is_missing || (!is_done && group.items[i].is_missing);
    return is_done;
}

bool push_move_tags(struct push_work *push, bool *ret_is_missing, struct err *err)
{
    *ret_is_missing = false;
    atomic_store(&push->registry->is_ending_late, true);
    bool is_done = move_group(push, false, ret_is_missing, err) && move_group(push, true, ret_is_missing, err);
    atomic_store(&push->registry->is_ending_late, false);
    return is_done;
}
