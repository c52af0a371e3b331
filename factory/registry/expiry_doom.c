/* SPDX-License-Identifier: Apache-2.0 */
/* What goes: old images, manifests that are theirs alone, and what is about these. What a former run was killed over is among it. */
#include "registry/expiry_parts.h"

#include "base/auto.h"

#define REFERRERS_MAX ((size_t)100000)

/* The tags that name referrers go last: as long as they are there, these are found. */
struct dooming {
    struct expiry_work *work;
    LIST(struct digest) subjects; /* what others may be about */
    LIST(struct expiry_item) tags;
    size_t referrer_count;
};

/* Returns whether it is to go: nothing needs it, and it is not listed yet. */
static bool doom(struct dooming *dooming, const struct digest *digest)
{
    struct expiry_work *work = dooming->work;
    if (expiry_is_needed(work, digest) || !map_add(&work->doomed, expiry_key(work->arena, digest), work))
        return false;
    list_add(work->arena, &dooming->subjects, *digest);
    return true;
}

static struct expiry_item make_item(const struct dooming *dooming, enum expiry_kind kind, const struct digest *digest,
                                    const struct digest *subject)
{
    struct arena *arena = dooming->work->arena;
    struct digest *about = subject ? arena_new(arena, struct digest) : NULL;
    if (about)
        *about = *subject;
    return (struct expiry_item){.kind = kind,
                                .name = arena_strdup(arena, registry_digest_name(digest).chars),
                                .digest = *digest,
                                .subject = about};
}

static void add_item(struct dooming *dooming, enum expiry_kind kind, const struct digest *digest,
                     struct expiry_image *image)
{
    struct expiry_item item = make_item(dooming, kind, digest, NULL);
    item.image = image;
    if (doom(dooming, digest))
        list_add(dooming->work->arena, &dooming->work->result->items, item);
}

static bool add_referrer(struct dooming *dooming, const struct digest *digest, const struct digest *subject,
                         struct err *err)
{
    struct expiry_work *work = dooming->work;
    if (++dooming->referrer_count > REFERRERS_MAX) {
        err_set(err, ERR_MALFORMED, "%s: more than %zu referrers of what would go", work->registry->name,
                REFERRERS_MAX);
        return false;
    }
    struct expiry_item item = make_item(dooming, EXPIRY_REFERRER, digest, subject);
    if (doom(dooming, digest))
        list_add(work->arena, &work->result->items, item);
    return true;
}

/* What was about to be deleted by a run that did not end, and is under no stamp any more. */
static const struct expiry_memory_image *left_over(const struct expiry_work *work, size_t i)
{
    const struct expiry_memory_image *known = &work->memory.items[i];
    return known->is_doomed && !expiry_find_image(work, &known->digest) ? known : NULL;
}

static void doom_images(struct dooming *dooming)
{
    struct expiry_work *work = dooming->work;
    const struct expiry_result *result = work->result;
    for (size_t i = result->images.count; i > 0; i--) { /* the oldest first */
        struct expiry_image *image = result->images.items[i - 1];
        if (image->is_old && image->is_known)
            add_item(dooming, EXPIRY_IMAGE, &image->digest, image);
    }
    for (size_t i = 0; i < work->memory.count; i++) {
        if (left_over(work, i))
            add_item(dooming, EXPIRY_MANIFEST, &work->memory.items[i].digest, NULL);
    }
    for (size_t i = result->images.count; i > 0; i--) {
        const struct expiry_image *image = result->images.items[i - 1];
        for (size_t j = 0; image->is_old && j < image->manifests.count; j++)
            add_item(dooming, EXPIRY_MANIFEST, &image->manifests.items[j], NULL);
    }
    for (size_t i = 0; i < work->memory.count; i++) {
        const struct expiry_memory_image *known = left_over(work, i);
        for (size_t j = 0; known && j < known->manifests.count; j++)
            add_item(dooming, EXPIRY_MANIFEST, &known->manifests.items[j], NULL);
    }
}

/* Whether a manifest that an index under a subject's tag names is about that: anybody may write such an index. True of one that is
 * gone. */
static bool is_about(struct expiry_work *work, const struct digest *digest, const struct digest *subject, bool *ret_is,
                     struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct registry_manifest manifest;
    struct expiry_child said;
    *ret_is = map_get(&work->doomed, (struct text){(const char *)digest->bytes, sizeof digest->bytes}) != NULL;
    if (*ret_is || expiry_is_needed(work, digest))
        return true;
    if (!registry_get_manifest(work->registry, &scratch, registry_digest_name(digest).chars, &manifest, err))
        return false;
    *ret_is =
        !manifest.is_found || (expiry_subject_of((struct text){manifest.bytes, (size_t)manifest.size_bytes}, &said) &&
                               digest_eq(&said.digest, subject));
    return true;
}

/* Whether a tag that looks as if it named what is about a digest is at that itself, or at another image: so some tools hold what has no
 * other tag. */
static bool is_pin(const struct expiry_work *work, const struct digest *digest, const struct digest *subject)
{
    const struct expiry_image *image = expiry_find_image(work, digest);
    return digest_eq(digest, subject) || (image && image->is_known);
}

/* It is a tag like any other. */
static void take_pin(struct expiry_work *work, const char *tag, const struct registry_manifest *manifest)
{
    list_add(work->arena, &work->others,
             (struct expiry_tag){.name = tag,
                                 .is_found = true,
                                 .digest = manifest->digest,
                                 .said_digest = manifest->has_said ? manifest->said_digest : manifest->digest,
                                 .bytes = {manifest->bytes, (size_t)manifest->size_bytes}});
    work->result->foreign_count++;
}

/* The index under the tag of a subject, or what another tool has under one with an ending. An empty index is left: all of these are one
 * digest, under the tags of any subject. */
static bool doom_tag(struct dooming *dooming, const char *tag, const struct digest *subject, struct err *err)
{
    struct expiry_work *work = dooming->work;
    struct registry_manifest manifest;
    struct expiry_children children;
    bool are_all_gone = true, is_one;
    if (!expiry_read_manifest(work, work->arena, tag, &manifest, err))
        return false;
    if (!manifest.is_found)
        return true;
    if (is_pin(work, &manifest.digest, subject)) {
        if (!expiry_is_needed(work, &manifest.digest)) /* else nothing new stays by it */
            take_pin(work, tag, &manifest);
        return true;
    }
    bool is_index = !strchr(tag, '.');
    expiry_children_of(work->arena, (struct text){manifest.bytes, (size_t)manifest.size_bytes}, &children);
    for (size_t i = 0; is_index && i < children.count; i++) {
        const struct digest *child = &children.items[i].digest;
        if (!is_about(work, child, subject, &is_one, err) || (is_one && !add_referrer(dooming, child, subject, err)))
            return false;
        are_all_gone = are_all_gone && is_one;
    }
    if ((is_index && !children.count) || !are_all_gone || !doom(dooming, &manifest.digest))
        return true;
    struct expiry_item item = make_item(dooming, EXPIRY_REFERRERS_TAG, &manifest.digest, subject);
    item.tag = tag;
    list_add(work->arena, &dooming->tags, item);
    return true;
}

static bool doom_about(struct dooming *dooming, const struct digest *subject, struct err *err)
{
    struct expiry_work *work = dooming->work;
    const struct expiry_about *about = map_get(&work->abouts, expiry_key(work->arena, subject));
    struct referrers referrers;
    for (size_t i = 0; about && i < about->tags.count; i++) {
        if (!doom_tag(dooming, about->tags.items[i], subject, err))
            return false;
    }
    if (!registry_list_referrers(work->registry, work->arena, subject, &referrers, err))
        return false;
    for (size_t i = 0; i < referrers.digests.count; i++) {
        if (!add_referrer(dooming, &referrers.digests.items[i], subject, err))
            return false;
    }
    return true;
}

bool expiry_list_doomed(struct expiry_work *work, struct err *err)
{
    struct dooming dooming = {.work = work};
    doom_images(&dooming);
    for (size_t i = 0; i < dooming.subjects.count; i++) { /* it grows: what is about others may have some itself */
        struct digest subject = dooming.subjects.items[i];
        if (!doom_about(&dooming, &subject, err))
            return false;
    }
    for (size_t i = 0; i < dooming.tags.count; i++)
        list_add(work->arena, &work->result->items, dooming.tags.items[i]);
    return true;
}
