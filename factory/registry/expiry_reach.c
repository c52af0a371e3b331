/* SPDX-License-Identifier: Apache-2.0 */
/* What stays: all that tags that are not ours are at, the images that are kept, and whatever these need, by their own documents. What
 * an image consists of is read once and remembered, as a digest never means anything else. */
#include "registry/expiry_parts.h"

#include "base/auto.h"
#include "base/clock.h"
#include "registry/stamp.h"

#define DEPTH_MAX 4                  /* of indices in indices */
#define MANIFESTS_MAX ((size_t)1000) /* of one image */
#define HELD_MAX_BYTES ((size_t)512 * 1024 * 1024)

/* --- documents --- */

bool expiry_read_manifest(struct expiry_work *work, struct arena *arena, const char *name,
                          struct registry_manifest *ret_manifest, struct err *err)
{
    if (!registry_get_manifest(work->registry, arena, name, ret_manifest, err))
        return false;
    size_t bytes = (size_t)ret_manifest->size_bytes;
    if (ret_manifest->is_found && atomic_fetch_add(&work->held_bytes, bytes) + bytes > HELD_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: the manifests under its tags have more than %zu MiB", work->registry->name,
                HELD_MAX_BYTES >> 20);
        return false;
    }
    if (!ret_manifest->is_found || expiry_is_document((struct text){ret_manifest->bytes, ret_manifest->size_bytes}))
        return true;
    err_set(err, ERR_MALFORMED, "%s: manifests/%s: the answer is no manifest", work->registry->name, name);
    return false;
}

static bool fail_deep(const struct expiry_work *work, const char *name, struct err *err)
{
    err_set(err, ERR_MALFORMED, "%s: %s: the index names more manifests, or deeper ones, than are looked at",
            work->registry->name, name);
    return false;
}

/* Adds all manifests below a document. What is gone already names nothing. */
static bool add_below(struct expiry_work *work, struct arena *arena, struct text bytes, int depth,
                      struct expiry_digests *digests, struct err *err)
{
    struct expiry_children children;
    expiry_children_of(arena, bytes, &children);
    for (size_t i = 0; i < children.count; i++) {
        const struct expiry_child *child = &children.items[i];
        struct digest_name name = registry_digest_name(&child->digest);
        struct registry_manifest manifest;
        if (depth > DEPTH_MAX || digests->count > MANIFESTS_MAX)
            return fail_deep(work, name.chars, err);
        list_add(arena, digests, child->digest);
        if (!child->is_index)
            continue;
        if (!expiry_read_manifest(work, arena, name.chars, &manifest, err))
            return false;
        if (manifest.is_found && !add_below(work, arena, (struct text){manifest.bytes, (size_t)manifest.size_bytes},
                                            depth + 1, digests, err))
            return false;
    }
    return true;
}

/* --- the other tags --- */

static bool read_other(void *context, void *item, struct err *err)
{
    struct expiry_work *work = context;
    struct expiry_tag *tag = item;
    struct registry_manifest manifest;
    if (!expiry_read_manifest(work, &tag->arena, tag->name, &manifest, err))
        return false;
    tag->is_found = manifest.is_found;
    tag->digest = manifest.digest;
    tag->said_digest = manifest.has_said ? manifest.said_digest : manifest.digest;
    tag->bytes = (struct text){manifest.bytes, manifest.is_found ? (size_t)manifest.size_bytes : 0};
    return true;
}

/* Returns the entry that makes a tag of an image that was published: not any tag that could be one, but that which it makes of this
 * very image. One that says nothing of how long keeps it. */
static const struct tag_rule *rule_of(const struct expiry_work *work, const struct expiry_tag *tag)
{
    const struct expiry_rules *rules = &work->request->rules;
    for (size_t i = 0; rules->entries && i < rules->entries->count; i++) {
        const struct tag_rule *rule = &rules->entries->items[i];
        if (rule->keep.kind == KEEP_UNSAID || tag_rule_is_dated(rule))
            continue;
        const char *made = expiry_expand(work->arena, rule->template, rules->name, tag->bytes);
        if (made && strcmp(made, tag->name) == 0)
            return rule;
    }
    return NULL;
}

bool expiry_read_others(struct expiry_work *work, struct err *err)
{
    struct expiry_tag *tags = work->others.items;
    struct each_items items = {.items = tags,
                               .count = work->others.count,
                               .each_bytes = sizeof *tags,
                               .threads_max = EXPIRY_REQUESTS,
                               .is_stopping = true};
    if (!each_run(items, read_other, work, err))
        return false;
    work->read_seconds = clock_seconds();
    for (size_t i = 0; i < work->others.count; i++) {
        struct expiry_image *image = tags[i].is_found ? expiry_find_image(work, &tags[i].digest) : NULL;
        const struct tag_rule *rule = image ? rule_of(work, &tags[i]) : NULL;
        if (image)
            list_add(work->arena, &image->tags, tags[i].name);
        if (rule)
            list_add(work->arena, &work->own_tags, (struct expiry_own_tag){rule, image});
        tags[i].is_ours = rule || (image && tags[i].is_given);
        work->result->foreign_count += !tags[i].is_ours;
    }
    expiry_judge(work);
    return true;
}

/* One that is gone went with what was deleted, or by somebody's hand: it needs nothing any more. */
static bool look_at_other(void *context, void *item, struct err *err)
{
    const struct expiry_work *work = context;
    struct expiry_tag *tag = item;
    bool is_found, is_it;
    if (!tag->is_found || tag->is_ours)
        return true;
    if (!registry_manifest_is(work->registry, tag->name, &tag->said_digest, true, &is_found, &is_it, err))
        return false;
    tag->has_moved = is_found && !is_it;
    return true;
}

bool expiry_has_moved(struct expiry_work *work, const char **ret_tag, struct err *err)
{
    struct expiry_tag *tags = work->others.items;
    struct each_items items = {.items = tags,
                               .count = work->others.count,
                               .each_bytes = sizeof *tags,
                               .threads_max = EXPIRY_REQUESTS,
                               .is_stopping = true};
    double begun = clock_seconds();
    if (!each_run(items, look_at_other, work, err))
        return false;
    *ret_tag = NULL;
    for (size_t i = 0; i < work->others.count && !*ret_tag; i++)
        *ret_tag = tags[i].has_moved ? tags[i].name : NULL;
    work->read_seconds = clock_seconds();
    work->look_seconds = work->read_seconds - begun;
    return true;
}

/* --- what stays --- */

/* What is still to be followed. */
struct following {
    struct expiry_work *work;
    LIST(struct expiry_image *) kept; /* images whose manifests are not noted yet */
};

bool expiry_need(struct expiry_work *work, const struct digest *digest, const char *why)
{
    return map_add(&work->needed, expiry_key(work->arena, digest), (void *)why);
}

bool expiry_is_needed(const struct expiry_work *work, const struct digest *digest)
{
    return map_get(&work->needed, (struct text){(const char *)digest->bytes, sizeof digest->bytes}) != NULL;
}

static void need(struct following *following, const struct digest *digest, const char *why)
{
    struct expiry_work *work = following->work;
    struct expiry_image *image = expiry_find_image(work, digest);
    if (!expiry_need(work, digest, why) || !image || !image->is_old)
        return;
    image->is_old = false;
    image->kept_by = why;
    list_add(work->arena, &following->kept, image);
}

/* Notes what a document needs: its manifests, its subject with all of that, and what that one is about in its turn. */
static bool need_document(struct following *following, struct text bytes, const char *why, struct err *err)
{
    struct expiry_work *work = following->work;
    struct expiry_digests digests = {0};
    struct expiry_child subject;
    if (!add_below(work, work->arena, bytes, 1, &digests, err))
        return false;
    for (int depth = 1; expiry_subject_of(bytes, &subject); depth++) {
        struct registry_manifest manifest;
        struct digest_name name = registry_digest_name(&subject.digest);
        if (depth > DEPTH_MAX)
            return fail_deep(work, name.chars, err);
        if (!expiry_read_manifest(work, work->arena, name.chars, &manifest, err))
            return false;
        list_add(work->arena, &digests, subject.digest);
        bytes = (struct text){manifest.bytes, manifest.is_found ? (size_t)manifest.size_bytes : 0};
        if (!add_below(work, work->arena, bytes, 1, &digests, err))
            return false;
    }
    for (size_t i = 0; i < digests.count; i++)
        need(following, &digests.items[i], why);
    return true;
}

/* An image that is read. */
struct knowing {
    struct expiry_image *image;
    struct arena arena;
    bool is_known;
    struct digest digest;
    struct expiry_digests manifests;
    LIST(struct expiry_tag) others; /* tags that are at what they do not name */
};

/* By the first of its tags that is at what it names. */
static bool know(void *context, void *item, struct err *err)
{
    struct expiry_work *work = context;
    struct knowing *knowing = item;
    const struct expiry_image *image = knowing->image;
    for (size_t i = 0; i < image->tags.count && !knowing->is_known; i++) {
        struct registry_manifest manifest;
        if (!expiry_read_manifest(work, &knowing->arena, image->tags.items[i], &manifest, err))
            return false;
        if (!manifest.is_found) /* it went meanwhile */
            continue;
        struct text bytes = {manifest.bytes, (size_t)manifest.size_bytes};
        knowing->is_known = strcmp(stamp_digest_of(&manifest.digest).chars, image->part) == 0;
        knowing->digest = manifest.digest;
        if (!knowing->is_known)
            list_add(&knowing->arena, &knowing->others,
                     (struct expiry_tag){.name = image->tags.items[i],
                                         .is_found = true,
                                         .digest = manifest.digest,
                                         .said_digest = manifest.has_said ? manifest.said_digest : manifest.digest,
                                         .bytes = bytes});
        else if (!add_below(work, &knowing->arena, bytes, 1, &knowing->manifests, err))
            return false;
    }
    return true;
}

/* Takes what was read. Somebody's tag that looks like a stamp is a tag like any other. */
static void take_known(struct expiry_work *work, const struct knowing *knowing)
{
    struct expiry_image *image = knowing->image;
    for (size_t i = 0; i < knowing->others.count; i++) {
        struct expiry_tag other = knowing->others.items[i];
        other.bytes.ptr = arena_strndup(work->arena, other.bytes.ptr, other.bytes.len);
        image->is_old = false;
        image->has_strayed = true;
        list_add(work->arena, &work->others, other);
    }
    image->is_known = knowing->is_known;
    image->digest = knowing->digest;
    for (size_t i = 0; i < knowing->manifests.count; i++)
        list_add(work->arena, &image->manifests, knowing->manifests.items[i]);
}

static void recall(struct expiry_work *work)
{
    for (size_t i = 0; i < work->memory.count; i++) {
        const struct expiry_memory_image *known = &work->memory.items[i];
        struct expiry_image *image = expiry_find_image(work, &known->digest);
        if (!image)
            continue;
        image->digest = known->digest;
        image->manifests = known->manifests;
        image->is_known = image->is_recalled = true;
    }
}

/* Those that go have to be known, too. */
bool expiry_know_images(struct expiry_work *work, struct err *err)
{
    const struct expiry_result *result = work->result;
    LIST(struct knowing) unknown = {0};
    recall(work);
    for (size_t i = 0; i < result->images.count; i++) {
        if (!result->images.items[i]->is_known)
            list_add(work->arena, &unknown, (struct knowing){.image = result->images.items[i]});
    }
    struct each_items items = {.items = unknown.items,
                               .count = unknown.count,
                               .each_bytes = sizeof *unknown.items,
                               .threads_max = EXPIRY_REQUESTS,
                               .is_stopping = true};
    bool is_good = each_run(items, know, work, err);
    for (size_t i = 0; i < unknown.count; i++) {
        if (is_good)
            take_known(work, &unknown.items[i]);
        arena_done(&unknown.items[i].arena);
    }
    return is_good;
}

bool expiry_find_needed(struct expiry_work *work, struct err *err)
{
    struct following following = {.work = work};
    struct expiry_result *result = work->result;
    for (size_t i = 0; i < result->images.count; i++) {
        if (!result->images.items[i]->is_old)
            list_add(work->arena, &following.kept, result->images.items[i]);
    }
    for (size_t i = 0; i < work->others.count; i++) {
        const struct expiry_tag *tag = &work->others.items[i];
        if (!tag->is_found || tag->is_ours)
            continue;
        const char *why = arena_printf(work->arena, "tag %s", tag->name);
        need(&following, &tag->digest, why);
        need(&following, &tag->said_digest, why);
        if (!need_document(&following, tag->bytes, why, err))
            return false;
    }
    for (size_t i = 0; i < following.kept.count; i++) {
        const struct expiry_image *image = following.kept.items[i];
        const char *why = arena_printf(work->arena, "image %s", image->part);
        if (!image->is_known)
            continue;
        need(&following, &image->digest, why);
        for (size_t j = 0; j < image->manifests.count; j++)
            need(&following, &image->manifests.items[j], why);
    }
    return true;
}
