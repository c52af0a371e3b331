/* SPDX-License-Identifier: Apache-2.0 */
/* What the names of tags tell: stamps say what was published when, other tags of ours end with the digest that they are at, those about
 * a manifest begin with its digest. What no entry of the site's makes is not ours, whatever it looks like. */
#include "registry/expiry_parts.h"

#include "base/clock.h"
#include "base/date.h"
#include "registry/stamp.h"

#include <fnmatch.h>
#include <stdlib.h>

#define ABOUT_PREFIX "sha256-"
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define DATE_WORD "{date}"
#define DATE_PATTERN "[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]" /* of oci_expand() */
#define AHEAD_SECONDS ((int64_t)60 * 60)                        /* how far a clock may be ahead of another one */
/* A push that was killed is made again by the next night: so long the same digest counts as published once. */
#define AGAIN_SECONDS ((int64_t)2 * 24 * 60 * 60)

struct expiry_image *expiry_find_image(const struct expiry_work *work, const struct digest *digest)
{
    struct stamp_digest part = stamp_digest_of(digest);
    struct expiry_image *image = map_get(&work->images, text_of(part.chars));
    return image && (!image->is_known || digest_eq(&image->digest, digest)) ? image : NULL;
}

static bool take_stamp(struct expiry_work *work, const char *tag)
{
    struct stamp_digest part;
    int64_t seconds;
    if (!stamp_parse(tag, &seconds, &part))
        return false;
    struct expiry_image *image = map_get(&work->images, text_of(part.chars));
    if (!image) {
        image = arena_new(work->arena, struct expiry_image);
        *image = (struct expiry_image){.part = arena_strdup(work->arena, part.chars)};
        map_set(&work->images, text_of(image->part), image);
    }
    list_add(work->arena, &image->tags, tag);
    list_add(work->arena, &work->stamps, (struct expiry_stamp){seconds, image});
    return true;
}

/* "sha256-<hex>", with or without an ending. */
static bool take_about(struct expiry_work *work, const char *tag)
{
    const char *hex = tag + strlen(ABOUT_PREFIX);
    struct digest digest;
    if (strncmp(tag, ABOUT_PREFIX, strlen(ABOUT_PREFIX)) != 0 || strlen(hex) < DIGEST_HEX_SIZE - 1 ||
        (hex[DIGEST_HEX_SIZE - 1] && hex[DIGEST_HEX_SIZE - 1] != '.') ||
        !digest_parse((struct text){hex, DIGEST_HEX_SIZE - 1}, &digest))
        return false;
    struct text key = expiry_key(work->arena, &digest);
    struct expiry_about *about = map_get(&work->abouts, key);
    if (!about) {
        about = arena_new(work->arena, struct expiry_about);
        *about = (struct expiry_about){0};
        map_set(&work->abouts, key, about);
    }
    list_add(work->arena, &about->tags, tag);
    return true;
}

/* A template as a pattern of fnmatch(3): a date is eight digits, any other placeholder anything. */
static const char *pattern_of(struct arena *arena, const char *template)
{
    char *pattern = arena_alloc(arena, 8 * strlen(template) + 1), *to = pattern;
    for (const char *at = template; *at; at++) {
        size_t len = strcspn(at, "}");
        if (*at == '{' && at[1] != '{' && at[len]) {
            bool is_date = strncmp(at, DATE_WORD, strlen(DATE_WORD)) == 0;
            to = stpcpy(to, is_date ? DATE_PATTERN : "*");
            at += len;
        } else {
            *to++ = (char)(strchr(PLAIN, *at) ? *at : '?'); /* oci_tag_safe() replaces others */
            at += (*at == '{' || *at == '}') && at[1] == *at;
        }
    }
    *to = '\0';
    return pattern;
}

/* Finds the entry that makes tags like this one, which ends with the digest of an image. */
static const struct tag_rule *find_rule(const struct expiry_work *work, struct text before)
{
    const struct tag_rules *entries = work->request->rules.entries;
    const char *tag = text_dup(work->arena, before);
    for (size_t i = 0; entries && i < entries->count; i++) {
        const struct tag_rule *rule = &entries->items[i];
        if (tag_rule_is_dated(rule) && fnmatch(pattern_of(work->arena, rule->template), tag, 0) == 0)
            return rule;
    }
    return NULL;
}

static bool take_own(struct expiry_work *work, const char *tag)
{
    struct text before;
    struct stamp_digest part;
    if (!stamp_split(tag, &before, &part))
        return false;
    struct expiry_image *image = map_get(&work->images, text_of(part.chars));
    const struct tag_rule *rule = image ? find_rule(work, before) : NULL;
    if (!rule)
        return false;
    list_add(work->arena, &image->tags, tag);
    list_add(work->arena, &work->own_tags, (struct expiry_own_tag){rule, image});
    return true;
}

/* A tag of which the command line says that it keeps nothing. */
static bool is_given(const struct expiry_work *work, const char *tag)
{
    const struct strings *globs = work->request->rules.globs;
    for (size_t i = 0; globs && i < globs->count; i++) {
        if (fnmatch(globs->items[i], tag, 0) == 0)
            return true;
    }
    return false;
}

static int compare_stamps(const void *left, const void *right)
{
    const struct expiry_stamp *a = left, *b = right;
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return strcmp(a->image->part, b->image->part);
}

static int compare_images(const void *left, const void *right)
{
    const struct expiry_image *a = *(struct expiry_image *const *)left, *b = *(struct expiry_image *const *)right;
    if (a->published != b->published)
        return a->published < b->published ? 1 : -1;
    return strcmp(b->part, a->part);
}

/* Whether a stamp is of a time to come: some clock is wrong. It supersedes nothing, and what it is at stays. */
static bool is_ahead(const struct expiry_work *work, int64_t seconds)
{
    return seconds > work->now + AHEAD_SECONDS;
}

/* When what was published at `first` had been superseded for good: by the last stamp of the next digest that belongs together. */
static int64_t superseded_at(const struct expiry_work *work, size_t first, size_t end)
{
    const struct expiry_stamp *stamps = work->stamps.items;
    int64_t last = stamps[first].seconds;
    for (size_t i = first; i < end && stamps[i].image == stamps[first].image; i++) {
        if (stamps[i].seconds - stamps[first].seconds > AGAIN_SECONDS)
            break;
        last = stamps[i].seconds;
    }
    return last;
}

/* Tells of each image when it was published and superseded, and lists them, the newest first. */
static void date_images(struct expiry_work *work)
{
    const struct expiry_stamp *stamps = work->stamps.items;
    size_t rank = 0, end = work->stamps.count;
    if (work->stamps.count)
        qsort(work->stamps.items, work->stamps.count, sizeof *work->stamps.items, compare_stamps);
    while (end && is_ahead(work, stamps[end - 1].seconds))
        end--;
    for (size_t i = 0; i < work->stamps.count; i++) {
        struct expiry_image *image = stamps[i].image;
        image->published = stamps[i].seconds; /* the last one stays */
        image->superseded = i + 1 >= end ? 0 : superseded_at(work, i + 1, end);
    }
    for (size_t i = 0; i < work->images.slots.count; i++)
        list_add(work->arena, &work->result->images, (struct expiry_image *)work->images.slots.items[i].value);
    if (work->result->images.count)
        qsort(work->result->images.items, work->result->images.count, sizeof *work->result->images.items,
              compare_images);
    for (size_t i = 0; i < work->result->images.count; i++) {
        struct expiry_image *image = work->result->images.items[i];
        image->rank = is_ahead(work, image->published) ? 0 : rank++;
        if (is_ahead(work, image->published))
            work->result->ahead =
                arena_printf(work->arena, "%s-%s", date_print_basic(image->published).chars, image->part);
    }
}

/* Returns whether something that is kept like that has the image still. */
static bool is_young(const struct expiry_work *work, const struct tag_keep *keep, const struct expiry_image *image,
                     size_t rank)
{
    switch (keep->kind) {
    case KEEP_ALWAYS:
        return true;
    case KEEP_NEWEST:
        return rank < keep->count;
    case KEEP_FOR:
        return work->now - image->superseded <= keep->seconds;
    case KEEP_UNSAID:
        break;
    }
    return false;
}

/* How many images that were published later have a tag of the same entry. */
static size_t rank_among(const struct expiry_work *work, const struct expiry_own_tag *tag)
{
    size_t rank = 0;
    for (size_t i = 0; i < work->own_tags.count; i++) {
        const struct expiry_own_tag *other = &work->own_tags.items[i];
        rank += other->rule == tag->rule && other->image->rank < tag->image->rank &&
                !is_ahead(work, other->image->published);
    }
    return rank;
}

/* Whether the stamps of an image keep it: as the site says of all, or as long as any entry says. */
static bool is_stamp_young(const struct expiry_work *work, const struct expiry_image *image)
{
    const struct expiry_rules *rules = &work->request->rules;
    bool is_any = false, is_said = rules->keep.kind != KEEP_UNSAID;
    for (size_t i = 0; !is_said && rules->entries && i < rules->entries->count; i++)
        is_any = is_any || is_young(work, &rules->entries->items[i].keep, image, image->rank);
    return is_said ? is_young(work, &rules->keep, image, image->rank) : is_any;
}

void expiry_judge(struct expiry_work *work)
{
    struct expiry_result *result = work->result;
    for (size_t i = 0; i < result->images.count; i++) {
        struct expiry_image *image = result->images.items[i];
        image->is_old = image->superseded && !is_ahead(work, image->published) && !is_stamp_young(work, image);
    }
    for (size_t i = 0; i < work->own_tags.count; i++) {
        const struct expiry_own_tag *tag = &work->own_tags.items[i];
        if (tag->image->is_old)
            tag->image->is_old = !is_young(work, &tag->rule->keep, tag->image, rank_among(work, tag));
    }
}

bool expiry_read_names(struct expiry_work *work, struct err *err)
{
    struct registry_tag_list list;
    struct strings tags, rest = {0};
    double begun = clock_seconds();
    if (!registry_read_tags(work->registry, work->arena, &list, err))
        return false;
    if (!list.is_whole) {
        err_set(err, ERR_MALFORMED,
                "%s: tags/list: the registry says that it has more tags, but does not list them; nothing can be pruned "
                "there, since any of them may need what goes",
                work->registry->name);
        return false;
    }
    tags = list.tags;
    work->now = list.has_clock && list.clock < work->request->now ? list.clock : work->request->now;
    work->result->list_seconds = clock_seconds() - begun;
    work->result->tag_count = tags.count;
    for (size_t i = 0; i < tags.count; i++) {
        if (!take_stamp(work, tags.items[i]) && !take_about(work, tags.items[i]))
            list_add(work->arena, &rest, tags.items[i]);
    }
    for (size_t i = 0; i < rest.count; i++) {
        if (!take_own(work, rest.items[i]))
            list_add(work->arena, &work->others,
                     (struct expiry_tag){.name = rest.items[i], .is_given = is_given(work, rest.items[i])});
    }
    date_images(work);
    expiry_judge(work);
    return true;
}
