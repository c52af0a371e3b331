/* SPDX-License-Identifier: Apache-2.0 */
/* Two lock files: what each image took for each architecture. There are no files in them: packages are compared, and what else a lock
 * says of an image. */
#include "cli/diff_parts.h"

#include "base/auto.h"
#include "bill/lock.h"
#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>

struct two_locks {
    struct differ *differ;
    struct lock locks[2];
};

bool diff_is_lock(const char *word)
{
    struct stat status;
    size_t len = strlen(word);
    return len > 5 && strcmp(word + len - 5, ".lock") == 0 && stat(word, &status) == 0 && S_ISREG(status.st_mode);
}

static bool read_lock(struct arena *arena, const char *path, struct lock *lock, struct err *err)
{
    AUTO(buf_done) struct buf text = {0};
    return file_read_at(AT_FDCWD, path, LOCK_MAX_BYTES, &text, err) &&
           lock_read(arena, path, buf_text(&text), lock, err);
}

static const struct lock_image *find_image(const struct lock *lock, const char *image, const char *arch)
{
    for (size_t i = 0; i < lock->images.count; i++) {
        const struct lock_image *each = &lock->images.items[i];
        if (strcmp(each->image, image) == 0 && (!arch || strcmp(each->arch, arch) == 0))
            return each;
    }
    return NULL;
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
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        struct bill_package taken = {.name = package->name,
                                     .version = package->version,
                                     .architecture = package->architecture,
                                     .source_version = package->version,
                                     .url = package->url,
                                     .size_bytes = package->size_bytes,
                                     .digest = package->digest,
                                     .has_given = true};
        if (strcmp(package->arch, image->arch) == 0 && strings_has(&package->images, image->image))
            list_add(arena, &bill->packages, taken);
    }
    *side = (struct change_side){.platform = image->arch, .digest.bytes = {mark}, .bill = bill};
    return side;
}

static const char *quoted_digest(struct arena *arena, const struct digest *digest)
{
    return arena_printf(arena, "\"sha256:%s\"", digest_hex(digest).chars);
}

/* What a lock says of an image besides its packages, where that differs. */
static void add_values(struct arena *arena, const struct lock_image *before, const struct lock_image *after,
                       struct change *change)
{
    static const struct digest none;
    const struct {
        const char *key;
        const struct digest *before, *after;
    } digests[] = {{"manifest", &before->manifest, &after->manifest},
                   {"base", &before->base_digest, &after->base_digest}};
    for (size_t i = 0; i < ARRAY_COUNT(digests); i++) {
        const struct digest *old = digests[i].before, *new = digests[i].after;
        struct value_change value = {.key = digests[i].key,
                                     .before = digest_eq(old, &none) ? NULL : quoted_digest(arena, old),
                                     .after = digest_eq(new, &none) ? NULL : quoted_digest(arena, new)};
        if (!digest_eq(old, new))
            list_add(arena, &change->values, value);
    }
}

/* Compares one architecture of the image. */
static void compare_arch(struct two_locks *two, const char *arch, struct compared *compared)
{
    struct differ *differ = two->differ;
    struct arena *arena = differ->arena;
    const struct lock_image *before = find_image(&two->locks[0], compared->name, arch),
                            *after = find_image(&two->locks[1], compared->name, arch);
    struct lock_part part = {.image = compared->name, .arch = arch};
    struct strings lines = {0};
    struct change change;
    if (before && after)
        lock_differences(arena, &two->locks[0], &two->locks[1], part, &lines);
    bool is_same = before && after && !lines.count;
    change_compare(arena, side_of(arena, &two->locks[0], before, 1),
                   side_of(arena, &two->locks[1], after, is_same ? 1 : 2), &change);
    if (before && after && !is_same)
        add_values(arena, before, after, &change);
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
        ends[i]->digest = find_image(lock, image, NULL) ? &lock->sum : NULL;
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

bool diff_locks(struct differ *differ, struct err *err)
{
    struct two_locks two = {.differ = differ};
    const char *const *words = differ->options->words.items;
    struct strings images = {0};
    for (size_t i = 0; i < 2; i++) {
        if (!diff_is_lock(words[i])) {
            err_set(err, ERR_USAGE, "%s is a lock file, which can be compared with another one only", words[1 - i]);
            return false;
        }
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
