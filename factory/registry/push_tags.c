/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: those with a version first, all at once; then the floating ones ("latest", or "4.4" beside "4.4.3"). */
#include "registry/push_parts.h"

#include "base/auto.h"

/* Digits that are no version: what architectures are called here, by Debian, by RPM and by OCI. */
static const char *const architecture_words[] = {"x86_64", "x86-64",  "amd64",   "i386",    "i586",    "i686",
                                                 "386",    "x86",     "aarch64", "arm64",   "armv5",   "armv6",
                                                 "armv7",  "arm32",   "ppc64",   "s390x",   "riscv64", "loong64",
                                                 "mips64", "sparc64", "arm64v8", "arm32v5", "arm32v6", "arm32v7"};

/* The length of an architecture's word at the start of the text; 0 for none. */
static size_t architecture_word(const char *text)
{
    size_t longest = 0;
    for (size_t i = 0; i < ARRAY_COUNT(architecture_words); i++) {
        size_t len = strlen(architecture_words[i]);
        if (len > longest && strncmp(text, architecture_words[i], len) == 0)
            longest = len;
    }
    return longest;
}

static bool has_version(const char *tag)
{
    bool is_word_start = true;
    while (*tag) {
        size_t skip = is_word_start ? architecture_word(tag) : 0;
        is_word_start = strchr(".-_", *tag) != NULL;
        if (!skip && *tag >= '0' && *tag <= '9')
            return true;
        tag += skip ? skip : 1;
    }
    return false;
}

bool push_tag_floats(const struct strings *tags, const char *tag)
{
    size_t len = strlen(tag);
    for (size_t i = 0; i < tags->count; i++) {
        const char *other = tags->items[i];
        if (strncmp(other, tag, len) == 0 && other[len] && strchr(".-_", other[len]))
            return true;
    }
    return !has_version(tag);
}

static bool has_tag(const struct push_result *result, const char *name)
{
    for (size_t i = 0; i < result->tags.count; i++) {
        if (strcmp(result->tags.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool list_tag(struct push_work *push, const char *name, const struct digest *digest, struct err *err)
{
    if (!reference_is_tag(name)) {
        err_set(err, ERR_USAGE, "%s: \"%s\" is not a valid tag", push->registry->name, name);
        return false;
    }
    if (!has_tag(push->result, name))
        list_add(push->arena, &push->result->tags,
                 (struct push_tag){.name = arena_strdup(push->arena, name), .new_digest = *digest});
    return true;
}

/* Those with a version, the floating ones, those of platforms. */
static bool list_tags(struct push_work *push, struct err *err)
{
    const struct push_request *request = push->request;
    const struct strings *tags = request->tags;
    for (int group = 0; group < 2; group++) {
        for (size_t i = 0; i < tags->count; i++) {
            if (push_tag_floats(tags, tags->items[i]) == (group == 1) &&
                !list_tag(push, tags->items[i], &push->result->digest, err))
                return false;
        }
    }
    for (size_t i = 0; i < request->platform_tag_count; i++) {
        if (!list_tag(push, request->platform_tags[i].tag, &request->platform_tags[i].digest, err))
            return false;
    }
    return true;
}

/* Whose tag it is, when it is not the root's. The root's wins when both have one name. */
static const struct push_platform_tag *platform_of(const struct push_request *request, const char *name)
{
    for (size_t i = 0; i < request->platform_tag_count && !strings_has(request->tags, name); i++) {
        if (strcmp(request->platform_tags[i].tag, name) == 0)
            return &request->platform_tags[i];
    }
    return NULL;
}

static void make_notes(struct push_work *push)
{
    struct push_result *result = push->result;
    push->notes = arena_new_array(push->arena, struct push_note, result->tags.count);
    for (size_t i = 0; i < result->tags.count; i++) {
        struct push_tag *tag = &result->tags.items[i];
        push->notes[i] = (struct push_note){.tag = tag, .platform = platform_of(push->request, tag->name)};
    }
}

void push_forget_notes(struct push_work *push)
{
    for (size_t i = 0; push->notes && i < push->result->tags.count; i++)
        arena_done(&push->notes[i].arena);
    push->notes = NULL;
}

/* Bytes and header of an answer say different digests: the right one is that which the registry knows. */
static bool settle_digest(struct push_work *push, struct registry_manifest *manifest, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest known;
    if (!manifest->has_said || digest_eq(&manifest->said_digest, &manifest->digest))
        return true;
    struct digest_name name = registry_digest_name(&manifest->digest);
    if (!registry_get_manifest(push->registry, &scratch, name.chars, &known, err))
        return false;
    if (!known.is_found)
        manifest->digest = manifest->said_digest;
    return true;
}

/* What a tag points at, by its bytes. A 403 only says that the registry will not tell; writing will show. */
static bool look_at_tag(struct push_work *push, struct arena *arena, const char *name,
                        struct registry_manifest *ret_manifest, struct err *err)
{
    *ret_manifest = (struct registry_manifest){0};
    if (!registry_get_manifest(push->registry, arena, name, ret_manifest, err)) {
        if (err->kind != ERR_PUBLISH || err->detail != 403)
            return false;
        err_clear(err);
        ret_manifest->is_found = false;
    }
    return !ret_manifest->is_found || settle_digest(push, ret_manifest, err);
}

/* The old digest is what a rollback needs. */
static bool note_tag(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct push_note *note = item;
    struct push_tag *tag = note->tag;
    struct registry_manifest manifest;
    if (!look_at_tag(push, &note->arena, tag->name, &manifest, err))
        return false;
    tag->had_old = manifest.is_found;
    tag->old_digest = manifest.digest;
    note->is_ours = tag->had_old && digest_eq(&tag->old_digest, &tag->new_digest);
    if (manifest.is_found && !note->is_ours)
        note->bytes = (struct text){manifest.bytes, (size_t)manifest.size_bytes};
    note->media_type = manifest.is_found ? manifest.media_type : NULL;
    return true;
}

/* Which tags move together: a failure keeps the later ones where they are. */
enum group { GROUP_VERSIONS, GROUP_FLOATING, GROUP_PLATFORMS };

static enum group group_of(const struct push_work *push, const struct push_note *note)
{
    if (note->platform)
        return GROUP_PLATFORMS;
    return push_tag_floats(push->request->tags, note->tag->name) ? GROUP_FLOATING : GROUP_VERSIONS;
}

/* A tag that names a version and is somebody's stays where it is, when that is wanted; one that never moves does anyway. */
static bool is_kept(const struct push_work *push, const struct push_note *note)
{
    const struct push_policy *policy = &push->request->policy;
    bool floats = note->platform ? note->platform->is_floating : group_of(push, note) == GROUP_FLOATING;
    bool is_immutable = policy->immutable && strings_has(policy->immutable, note->tag->name);
    return note->tag->had_old && !note->is_ours && (is_immutable || (policy->are_tags_kept && !floats));
}

/* All at once: whatever the first one learns of the registry, the others need as long for. */
bool push_note_tags(struct push_work *push, bool *ret_are_ours, struct err *err)
{
    struct push_result *result = push->result;
    if (!list_tags(push, err))
        return false;
    make_notes(push);
    struct each_items all = push_items(push->notes, result->tags.count, sizeof *push->notes, PUSH_SMALL_REQUESTS);
    if (!each_run(all, note_tag, push, err))
        return false;
    *ret_are_ours = push->is_new = true;
    for (size_t i = 0; i < result->tags.count; i++) {
        const struct push_note *note = &push->notes[i];
        note->tag->is_kept = is_kept(push, note);
        *ret_are_ours = *ret_are_ours && (note->is_ours || note->tag->is_kept);
        push->is_known = push->is_known || (note->is_ours && !note->platform);
        push->is_new = push->is_new && !note->tag->had_old;
    }
    return true;
}

/* A tag on its way. */
struct moving {
    struct push_note *note;
    bool is_missing;
};

/* The document that a tag is to point at. */
static void document_of(const struct push_work *push, const struct push_note *note, const char **ret_media_type,
                        struct text *ret_bytes)
{
    const struct layout_image *image = push->request->image;
    *ret_media_type = image->root.media_type;
    *ret_bytes = image->root_bytes;
    for (size_t i = 0; note->platform && i < image->manifests.count; i++) {
        const struct layout_manifest *manifest = &image->manifests.items[i];
        if (!digest_eq(&manifest->blob.digest, &note->platform->digest))
            continue;
        *ret_media_type = manifest->blob.media_type;
        *ret_bytes = manifest->bytes;
    }
}

/* Reads the tag back until it is ours; a registry may need a moment. */
static bool read_back(struct push_work *push, const struct push_note *note, struct err *err)
{
    struct push_tag *tag = note->tag;
    struct retry retry = {0};
    bool is_found, is_it;
    for (;;) {
        if (!registry_manifest_is(push->registry, tag->name, &tag->new_digest, true, &is_found, &is_it, err))
            return false;
        tag->is_moved = is_it && !note->is_ours;
        if (is_it)
            return true;
        err_set(err, ERR_TRUST, "%s:%s: after it was set, the tag %s", push->registry->name, tag->name,
                is_found ? "points at something else (did someone else move it?)" : "is not there");
        if (!registry_back_off(push->registry, &retry, 0, err))
            return false;
    }
}

/* Fails when somebody else moved the tag since it was noted: of two machines that make the same nights the other one may
 * have seen newer repositories. No request sets a tag only if it is at something, so a moment is left. */
static bool is_where_it_was(struct push_work *push, const struct push_tag *tag, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest now;
    if (!tag->had_old)
        return true; /* a new one cannot go back */
    if (!look_at_tag(push, &scratch, tag->name, &now, err))
        return false;
    if (!now.is_found || digest_eq(&now.digest, &tag->new_digest) || digest_eq(&now.digest, &tag->old_digest))
        return true;
    err_set(err, ERR_PUBLISH,
            "%s:%s: somebody else moved the tag to %s while this image was pushed; it stays there, since theirs may be "
            "newer: run again",
            push->registry->name, tag->name, registry_digest_name(&now.digest).chars);
    return false;
}

/* Puts the tag and looks what it is now, even after a failure: the report must agree with the registry. */
static bool set_tag(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct moving *moving = item;
    struct push_tag *tag = moving->note->tag;
    const char *media_type;
    struct text bytes;
    struct err unseen = {0};
    bool is_found, is_it = false;
    document_of(push, moving->note, &media_type, &bytes);
    if (registry_put_manifest(push->registry, tag->name, media_type, bytes, &moving->is_missing, err))
        return read_back(push, moving->note, err);
    if (err->kind != ERR_CANCELLED &&
        registry_manifest_is(push->registry, tag->name, &tag->new_digest, false, &is_found, &is_it, &unseen))
        tag->is_moved = is_it && !moving->note->is_ours;
    if (is_it)
        err_clear(err);
    return is_it;
}

/* No tag is begun after a signal; one that was begun has a moment to end, so that the report is true. */
static bool move_tag(void *context, void *item, struct err *err)
{
    struct push_work *push = context;
    struct push_tag *tag = ((struct moving *)item)->note->tag;
    const atomic_bool *cancel = push->registry->options->cancel;
    if (cancel && atomic_load(cancel)) {
        err_set(err, ERR_CANCELLED, "interrupted before the tag %s was set", tag->name);
        return false;
    }
    bool is_set = is_where_it_was(push, tag, err) && set_tag(context, item, err);
    tag->is_unclear = !is_set && err->kind == ERR_CANCELLED;
    if (tag->is_unclear)
        err_wrap(
            err,
            "interrupted while the tag %s was set: it may be the old or the new image; look with imgfactory inspect",
            tag->name);
    return is_set;
}

static bool move_group(struct push_work *push, enum group group, bool *ret_is_missing, struct err *err)
{
    LIST(struct moving) moved = {0};
    for (size_t i = 0; i < push->result->tags.count; i++) {
        struct push_note *note = &push->notes[i];
        if (group_of(push, note) == group && !note->tag->is_moved && !note->is_ours && !note->tag->is_kept)
            list_add(push->arena, &moved, (struct moving){.note = note});
    }
    struct each_items items = push_items(moved.items, moved.count, sizeof *moved.items, PUSH_SMALL_REQUESTS);
    bool is_done = each_run(items, move_tag, push, err);
    for (size_t i = 0; i < moved.count; i++)
        *ret_is_missing = *ret_is_missing || (!is_done && moved.items[i].is_missing);
    return is_done;
}

bool push_move_tags(struct push_work *push, bool *ret_is_missing, struct err *err)
{
    *ret_is_missing = false;
    atomic_store(&push->registry->is_ending_late, true);
    bool is_done = move_group(push, GROUP_VERSIONS, ret_is_missing, err) &&
                   move_group(push, GROUP_FLOATING, ret_is_missing, err) &&
                   move_group(push, GROUP_PLATFORMS, ret_is_missing, err);
    atomic_store(&push->registry->is_ending_late, false);
    return is_done;
}
