/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/data_folder.h"

#include "base/auto.h"

#include <stdlib.h>
#include <sys/stat.h>

/* More files than a distribution has services: a mistake. */
#define FILES_MAX 2000

static int compare_stems(const void *a, const void *b)
{
    return strcmp(((const struct data_file *)a)->stem, ((const struct data_file *)b)->stem);
}

/* Adds the files of a directory to the list, each in the place of one of the same name. */
static bool list_files(struct arena *arena, const char *dir, struct data_folder *folder, struct err *err)
{
    struct strings stems = {0};
    struct stat status;
    if (stat(dir, &status) == 0 && !yaml_stems(arena, dir, &stems, err))
        return false;
    size_t former = folder->count;
    for (size_t i = 0; i < stems.count; i++) {
        struct data_file file = {.stem = stems.items[i],
                                 .path = arena_printf(arena, "%s/%s.yaml", dir, stems.items[i])};
        struct data_file *there = former ? bsearch(&file, folder->items, former, sizeof file, compare_stems) : NULL;
        if (there)
            *there = file;
        else
            list_add(arena, folder, file);
    }
    if (folder->count > FILES_MAX) {
        err_set(err, ERR_USAGE, "%s has %zu files, more than %d", dir, stems.count, FILES_MAX);
        return false;
    }
    if (folder->count)
        qsort(folder->items, folder->count, sizeof folder->items[0], compare_stems);
    return true;
}

static bool list_all(struct arena *arena, const struct strings *dirs, struct data_folder *folder, struct err *err)
{
    for (size_t i = 0; i < dirs->count; i++) {
        if (!list_files(arena, dirs->items[i], folder, err))
            return false;
    }
    return true;
}

static void feed_file(struct digest_stream *stream, const struct data_file *file, const struct digest *digest)
{
    digest_feed(stream, file->stem, strlen(file->stem) + 1);
    digest_feed(stream, digest->bytes, DIGEST_BYTES);
}

bool data_folder_load(struct arena *arena, const struct strings *dirs, const char *what, struct data_folder *ret_folder,
                      struct err *err)
{
    struct data_folder folder = {0};
    if (!list_all(arena, dirs, &folder, err))
        return false;
    struct digest_stream stream AUTO(digest_abandon) = {0};
    digest_begin(&stream);
    for (size_t i = 0; i < folder.count; i++) {
        struct data_file *item = &folder.items[i];
        struct yaml_file *file;
        if (!yaml_load(arena, item->path, &file, err))
            return false;
        if (!file->root) {
            err_set(err, ERR_USAGE, "%s:1:1: the %s is empty", item->path, what);
            return false;
        }
        item->root = file->root;
        feed_file(&stream, item, &file->digest);
    }
    folder.digest = digest_end(&stream);
    *ret_folder = folder;
    return true;
}

bool data_folder_digest(const struct strings *dirs, struct digest *ret_digest, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct data_folder folder = {0};
    if (!list_all(&scratch, dirs, &folder, err))
        return false;
    struct digest_stream stream AUTO(digest_abandon) = {0};
    digest_begin(&stream);
    for (size_t i = 0; i < folder.count; i++) {
        struct digest digest;
        if (!yaml_digest(folder.items[i].path, &digest, err))
            return false;
        feed_file(&stream, &folder.items[i], &digest);
    }
    *ret_digest = digest_end(&stream);
    return true;
}
