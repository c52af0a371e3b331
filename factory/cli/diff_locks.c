/* SPDX-License-Identifier: Apache-2.0 */
/* Two lock files: what each image took for each architecture. There are no files in them: packages are compared, and what else a lock
 * says of an image. */
#include "cli/diff_parts.h"

#include "base/auto.h"
#include "bill/lock.h"
#include "bill/record.h"
#include "io/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_SUFFIX ".lock"

struct two_locks {
    struct differ *differ;
    struct lock locks[2];
};

bool diff_is_lock(const char *word)
{
    struct stat status;
    return strlen(word) > strlen(LOCK_SUFFIX) && text_has_suffix(text_of(word), LOCK_SUFFIX) &&
           stat(word, &status) == 0 && S_ISREG(status.st_mode);
}

static bool read_lock(struct arena *arena, const char *path, struct lock *lock, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    return file_read_at(AT_FDCWD, path, LOCK_MAX_BYTES, &text, err) &&
           lock_read(arena, path, buf_text(&text), lock, err);
}

/* Makes of an image of a lock what can be compared; NULL when the lock has it not. Sides with one mark are the same. */
static struct change_side *side_of(struct arena *arena, const struct lock *lock, const struct lock_image *image,
                                   uint8_t mark)
{
    struct change_side *side = image ? arena_new(arena, struct change_side) : NULL;
    struct bill *bill = image ? arena_new(arena, struct bill) : NULL;
    if (!side)
        return NULL;
    *bill = (struct bill){0};
    const struct lock_members *members = lock_members(lock, image->image, image->arch);
    for (size_t i = 0; i < members->packages.count; i++) {
        const struct lock_package *package = members->packages.items[i];
        struct bill_package taken = {.name = package->name,
                                     .version = package->version,
                                     .architecture = package->architecture,
                                     .source_version = package->version,
                                     .url = package->url,
                                     .size_bytes = package->size_bytes,
                                     .digest = package->digest,
                                     .has_given = true};
        list_add(arena, &bill->packages, taken);
    }
    *side = (struct change_side){.platform = image->arch, .digest.bytes = {mark}, .bill = bill};
    return side;
}

/* A text as JSON; NULL stays NULL. */
static const char *quoted(struct arena *arena, const char *text)
{
    json_t *json = record_text(text ? text : "");
    char *dumped = text ? json_dumps(json, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    const char *own = dumped ? arena_strdup(arena, dumped) : NULL;
    free(dumped);
    json_decref(json);
    return own;
}

static const char *digest_text(struct arena *arena, const struct digest *digest)
{
    static const struct digest none;
    return !digest || digest_eq(digest, &none) ? NULL : arena_printf(arena, "sha256:%s", digest_hex(digest).chars);
}

/* Adds one value where it differs; `name` may be NULL. */
static void add_value(struct arena *arena, struct change *change, const char *key, const char *name, const char *before,
                      const char *after)
{
    struct value_change value = {
        .key = key, .name = name, .before = quoted(arena, before), .after = quoted(arena, after)};
    if (!text_same(before, after))
        list_add(arena, &change->values, value);
}

static const struct digest *find_data(const struct lock *lock, const char *name)
{
    for (size_t i = 0; i < lock->data.count; i++) {
        if (strcmp(lock->data.items[i].name, name) == 0)
            return &lock->data.items[i].digest;
    }
    return NULL;
}

/* The folders beside the manifests, and the architecture's file. */
static void add_data(const struct two_locks *two, const char *arch, struct change *change)
{
    struct arena *arena = two->differ->arena;
    const char *own = arena_printf(arena, "arch %s", arch);
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < two->locks[k].data.count; i++) {
            const char *name = two->locks[k].data.items[i].name;
            const struct digest *before = find_data(&two->locks[0], name), *after = find_data(&two->locks[1], name);
            bool is_other_arch = strncmp(name, "arch ", 5) == 0 && strcmp(name, own) != 0;
            if (!is_other_arch && !(k && before))
                add_value(arena, change, "data", name, digest_text(arena, before), digest_text(arena, after));
        }
    }
}

static struct map list_paths(struct arena *arena, const struct lock *lock, const struct lock_image *image)
{
    struct map paths = {.arena = arena};
    const struct lock_members *members = lock_members(lock, image->image, image->arch);
    for (size_t i = 0; i < members->paths.count; i++) {
        const struct lock_path *path = members->paths.items[i];
        (void)map_add(&paths, text_of(path->path), (void *)arena_printf(arena, "%s (%s)", path->package, path->why));
    }
    return paths;
}

/* Which package was taken for a path that the manifest names. */
static void add_paths(const struct two_locks *two, const struct lock_image *before, const struct lock_image *after,
                      struct change *change)
{
    struct arena *arena = two->differ->arena;
    struct map old = list_paths(arena, &two->locks[0], before), new = list_paths(arena, &two->locks[1], after);
    for (size_t i = 0; i < old.slots.count; i++) {
        const struct map_slot *slot = &old.slots.items[i];
        add_value(arena, change, "path", slot->key.ptr, slot->value, map_get(&new, slot->key));
    }
    for (size_t i = 0; i < new.slots.count; i++) {
        const struct map_slot *slot = &new.slots.items[i];
        if (!map_get(&old, slot->key))
            add_value(arena, change, "path", slot->key.ptr, NULL, slot->value);
    }
}

/* What a lock says of an image besides its packages, where that differs. */
static void add_values(const struct two_locks *two, const struct lock_image *before, const struct lock_image *after,
                       struct change *change)
{
    struct arena *arena = two->differ->arena;
    add_value(arena, change, "manifest", NULL, digest_text(arena, &before->manifest),
              digest_text(arena, &after->manifest));
    add_value(arena, change, "base", NULL, digest_text(arena, &before->base_digest),
              digest_text(arena, &after->base_digest));
    add_value(arena, change, "base-name", NULL, before->base, after->base);
    add_value(arena, change, "name", NULL, before->named, after->named);
    add_data(two, after->arch, change);
    add_paths(two, before, after, change);
}

/* Compares one architecture of the image. */
static void compare_arch(struct two_locks *two, const char *arch, struct compared *compared)
{
    struct differ *differ = two->differ;
    struct arena *arena = differ->arena;
    const struct lock_image *before = lock_find_image(&two->locks[0], compared->name, arch),
                            *after = lock_find_image(&two->locks[1], compared->name, arch);
    struct lock_part part = {.image = compared->name, .arch = arch};
    struct strings lines = {0};
    struct change change;
    if (before && after)
        lock_differences(arena, &two->locks[0], &two->locks[1], part, &lines);
    bool is_same = before && after && !lines.count;
    change_compare(arena, side_of(arena, &two->locks[0], before, 1),
                   side_of(arena, &two->locks[1], after, is_same ? 1 : 2), &change);
    if (before && after && !is_same)
        add_values(two, before, after, &change);
    if (change.is_known)
        stories_tell(arena, &differ->stories, &change);
    compared->is_same = compared->is_same && is_same;
    list_add(arena, &compared->changes, change);
}

/* Compares one image, whichever of the locks has it. */
static void compare_image(struct two_locks *two, const char *image)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *const *words = two->differ->options->words.items;
    struct arena *whole = two->differ->arena;
    struct compared compared = {.name = image, .is_same = true};
    struct diff_end *const ends[] = {&compared.before, &compared.after};
    struct strings arches = {0};
    two->differ->arena = &arena;
    for (size_t i = 0; i < 2; i++) {
        const struct lock *lock = &two->locks[i];
        ends[i]->name = words[i];
        ends[i]->digest = lock_find_image(lock, image, NULL) ? &lock->sum : NULL;
        for (size_t j = 0; j < lock->images.count; j++) {
            const struct lock_image *each = &lock->images.items[j];
            if (strcmp(each->image, image) == 0 && !strings_has(&arches, each->arch))
                list_add(&arena, &arches, each->arch);
        }
    }
    for (size_t i = 0; i < arches.count; i++)
        compare_arch(two, arches.items[i], &compared);
    diff_report(two->differ, &compared);
    two->differ->arena = whole;
}

/* Checks that both words are lock files, before one is read. */
static bool check_words(const struct differ *differ, struct err *err)
{
    const char *const *words = differ->options->words.items;
    if (diff_is_lock(words[0]) && diff_is_lock(words[1]))
        return true;
    size_t i = diff_is_lock(words[0]) ? 1 : 0;
    const char *word = text_printable(differ->arena, text_of(words[i]));
    if (text_has_suffix(text_of(word), LOCK_SUFFIX) && access(words[i], F_OK) != 0)
        err_set(err, ERR_USAGE, "there is no file %s", word);
    else
        err_set(err, ERR_USAGE, "%s is a lock file, which can be compared with another one only, not with %s",
                words[1 - i], word);
    return false;
}

bool diff_locks(struct differ *differ, struct err *err)
{
    struct two_locks two = {.differ = differ};
    const char *const *words = differ->options->words.items;
    struct strings images = {0};
    if (!check_words(differ, err))
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (!read_lock(differ->arena, words[i], &two.locks[i], err))
            return false;
        for (size_t j = 0; j < two.locks[i].images.count; j++) {
            if (!strings_has(&images, two.locks[i].images.items[j].image))
                list_add(differ->arena, &images, two.locks[i].images.items[j].image);
        }
    }
    for (size_t i = 0; i < images.count; i++)
        compare_image(&two, images.items[i]);
    return true;
}
