/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/hold.h"

#include "base/map.h"

#include <stdlib.h>

void hold_add(struct arena *arena, struct hold_faults *faults, const char *line)
{
    faults->count++;
    if (faults->lines.count < HOLD_FAULTS_MAX)
        list_add(arena, &faults->lines, text_printable(arena, text_of(line)));
}

const char *hold_print(struct arena *arena, const struct hold_faults *faults)
{
    const char *joined = strings_join(arena, &faults->lines, "; ");
    if (faults->count == faults->lines.count)
        return joined;
    return arena_printf(arena, "%s; and %zu more", joined, faults->count - faults->lines.count);
}

static bool is_zero(const struct digest *digest)
{
    static const struct digest none;
    return digest_eq(digest, &none);
}

/* --- SBOM --- */

struct actual_file {
    const char *path, *package;
    const struct digest *sha256;
};

struct actual {
    struct actual_file *items;
    size_t count;
};

static int compare_actual(const void *a, const void *b)
{
    return strcmp(((const struct actual_file *)a)->path, ((const struct actual_file *)b)->path);
}

static void add_actual(struct actual *actual, const struct sbom_files *files, const char *package)
{
    for (size_t i = 0; i < files->count; i++)
        actual->items[actual->count++] = (struct actual_file){files->items[i].path, package, &files->items[i].sha256};
}

/* All files of the layers, by path. */
static struct actual actual_of(struct arena *arena, const struct sbom *image)
{
    struct actual actual = {0};
    size_t count = image->others.count;
    for (size_t i = 0; i < image->packages.count; i++)
        count += image->packages.items[i].files.count;
    actual.items = arena_new_array(arena, struct actual_file, count + 1);
    for (size_t i = 0; i < image->packages.count; i++)
        add_actual(&actual, &image->packages.items[i].files,
                   arena_printf(arena, "%s %s", image->packages.items[i].name, image->packages.items[i].version));
    add_actual(&actual, &image->others, NULL);
    qsort(actual.items, actual.count, sizeof *actual.items, compare_actual);
    return actual;
}

static const char *of_package(struct arena *arena, const char *package)
{
    return package ? arena_printf(arena, " of %s", package) : "";
}

static void hold_file(struct arena *arena, const struct told_file *told, const struct actual_file *file,
                      struct hold_faults *faults)
{
    if (!told->has_sha256 || digest_eq(&told->sha256, file->sha256))
        return;
    hold_add(arena, faults,
             arena_printf(arena, "%s%s: it says sha256:%.12s…, the layers have sha256:%.12s…", told->path,
                          of_package(arena, told->package), digest_hex(&told->sha256).chars,
                          digest_hex(file->sha256).chars));
}

static void hold_files(struct arena *arena, const struct told_sbom *told, const struct actual *actual,
                       size_t *ret_missing, struct hold_faults *faults)
{
    size_t at = 0;
    for (size_t i = 0; i < told->files.count; i++) {
        const struct told_file *file = &told->files.items[i];
        for (; at < actual->count && strcmp(actual->items[at].path, file->path) < 0; at++) {
            ++*ret_missing;
            if (told->is_whole)
                hold_add(arena, faults,
                         arena_printf(arena, "%s%s is in the layers, and not in it", actual->items[at].path,
                                      of_package(arena, actual->items[at].package)));
        }
        if (at < actual->count && strcmp(actual->items[at].path, file->path) == 0) {
            hold_file(arena, file, &actual->items[at], faults);
            if (i + 1 == told->files.count || strcmp(told->files.items[i + 1].path, file->path) != 0)
                at++; /* of two that name one file both are held */
        } else {
            hold_add(arena, faults,
                     arena_printf(arena, "%s%s is in it, and not in the layers", file->path,
                                  of_package(arena, file->package)));
        }
    }
    for (; at < actual->count; at++) {
        ++*ret_missing;
        if (told->is_whole)
            hold_add(arena, faults,
                     arena_printf(arena, "%s%s is in the layers, and not in it", actual->items[at].path,
                                  of_package(arena, actual->items[at].package)));
    }
}

void hold_sbom(struct arena *arena, const struct told_sbom *told, const struct sbom *image, size_t *ret_missing,
               struct hold_faults *faults)
{
    struct actual actual = actual_of(arena, image);
    *ret_missing = 0;
    if (told->has_manifest && !digest_eq(&told->manifest, &image->manifest))
        hold_add(arena, faults,
                 arena_printf(arena, "it is about sha256:%.12s…, which is another image",
                              digest_hex(&told->manifest).chars));
    hold_files(arena, told, &actual, ret_missing, faults);
}

/* --- provenance --- */

void hold_subjects(struct arena *arena, struct hold_digests subjects, const struct layout_blob *blobs, size_t count,
                   bool is_whole, struct hold_faults *faults)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < subjects.count && !digest_eq(&subjects.items[at], &blobs[i].digest))
            at++;
        if (at == subjects.count)
            hold_add(arena, faults,
                     arena_printf(arena, "it is not about sha256:%.12s…, which the image has",
                                  digest_hex(&blobs[i].digest).chars));
    }
    for (size_t i = 0; is_whole && i < subjects.count; i++) {
        size_t at = 0;
        while (at < count && !digest_eq(&subjects.items[i], &blobs[at].digest))
            at++;
        if (at == count)
            hold_add(arena, faults,
                     arena_printf(arena, "it is about sha256:%.12s…, which the image has not",
                                  digest_hex(&subjects.items[i]).chars));
    }
}

/* The digests of what was taken. */
static void list_taken(struct arena *arena, const struct told_provenance *told, struct map *taken)
{
    *taken = (struct map){.arena = arena};
    for (size_t i = 0; i < told->packages.count; i++) {
        const char *hex = arena_strdup(arena, digest_hex(&told->packages.items[i].digest).chars);
        map_set(taken, text_of(hex), &told->packages.items[i]);
    }
}

void hold_packages(struct arena *arena, const struct told_provenance *told, const struct told_sbom *sbom,
                   struct hold_faults *faults)
{
    struct map taken;
    list_taken(arena, told, &taken);
    for (size_t i = 0; i < sbom->packages.count; i++) {
        const struct told_package *package = &sbom->packages.items[i];
        if (is_zero(&package->digest))
            continue;
        const struct told_package *from = map_get(&taken, text_of(digest_hex(&package->digest).chars));
        if (!from)
            hold_add(arena, faults,
                     arena_printf(arena, "package %s %s (sha256:%.12s…) is in the image, and not in it", package->name,
                                  package->version, digest_hex(&package->digest).chars));
        else if (!from->has_given)
            hold_add(arena, faults,
                     arena_printf(arena, "of package %s %s it says that no file is in the image", package->name,
                                  package->version));
    }
}

/* --- lock --- */

static void hold_locked_packages(struct arena *arena, const struct told_provenance *told, const struct lock *lock,
                                 struct hold_faults *faults)
{
    struct map taken, locked = {.arena = arena};
    list_taken(arena, told, &taken);
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        const char *hex = arena_strdup(arena, digest_hex(&package->digest).chars);
        if (told->made.image && !strings_has(&package->images, told->made.image))
            continue;
        map_set(&locked, text_of(hex), (void *)(uintptr_t)package);
        if (!map_get(&taken, text_of(hex)))
            hold_add(arena, faults,
                     arena_printf(arena, "package %s %s for %s (sha256:%.12s…) is locked, and was not taken",
                                  package->name, package->version, package->arch, hex));
    }
    for (size_t i = 0; i < told->packages.count; i++) {
        const struct told_package *package = &told->packages.items[i];
        if (!map_get(&locked, text_of(digest_hex(&package->digest).chars)))
            hold_add(arena, faults,
                     arena_printf(arena, "package %s %s (sha256:%.12s…) was taken, and is not locked", package->name,
                                  package->version, digest_hex(&package->digest).chars));
    }
}

/* Each signed index that the build took is one that the lock names. Others of the lock may be of other images. */
static void hold_locked_indices(struct arena *arena, const struct told_provenance *told, const struct lock *lock,
                                struct hold_faults *faults)
{
    for (size_t i = 0; i < told->repositories.count; i++) {
        const struct told_repository *repository = &told->repositories.items[i];
        size_t at = 0;
        while (at < lock->sources.count && !digest_eq(&lock->sources.items[at].digest, &repository->digest))
            at++;
        if (at == lock->sources.count)
            hold_add(arena, faults,
                     arena_printf(arena, "the signed index of %s (sha256:%.12s…) is not the locked one",
                                  repository->name, digest_hex(&repository->digest).chars));
    }
}

void hold_lock(struct arena *arena, const struct told_provenance *told, const struct lock *lock,
               struct hold_faults *faults)
{
    if (told->made.image && !lock_find_image(lock, told->made.image, NULL)) {
        hold_add(arena, faults, arena_printf(arena, "it has no image %s", told->made.image));
        return;
    }
    hold_locked_packages(arena, told, lock, faults);
    hold_locked_indices(arena, told, lock, faults);
}
