/* SPDX-License-Identifier: Apache-2.0 */
#include "service/packaged.h"

#include "package/path.h"

#include <stdlib.h>

static int compare_files(const void *a, const void *b)
{
    const struct packaged_file *left = a, *right = b;
    int order = strcmp(left->entry->path, right->entry->path);
    return order ? order : strcmp(left->package->name, right->package->name);
}

void packaged_list(struct arena *arena, const struct packaged *packaged, const char *dir, const char *suffix,
                   struct packaged_files *ret_files)
{
    size_t len = strlen(dir);
    *ret_files = (struct packaged_files){0};
    for (size_t i = 0; i < packaged->count; i++) {
        const struct package *package = packaged->packages[i];
        for (size_t j = 0; j < package->count; j++) {
            const struct entry *entry = &package->entries[j];
            if (entry->kind != ENTRY_DIRECTORY && strncmp(entry->path, dir, len) == 0 && entry->path[len] == '/' &&
                !strchr(entry->path + len + 1, '/') && text_has_suffix(text_of(entry->path), suffix))
                list_add(arena, ret_files, (struct packaged_file){package, entry});
        }
    }
    if (ret_files->count)
        qsort(ret_files->items, ret_files->count, sizeof ret_files->items[0], compare_files);
}

const struct packaged_file *packaged_find(struct arena *arena, const struct packaged *packaged, const char *path)
{
    for (size_t i = 0; i < packaged->count; i++) {
        const struct entry *entry = package_find(packaged->packages[i], path);
        if (!entry || entry->kind == ENTRY_DIRECTORY)
            continue;
        struct packaged_file *file = arena_new(arena, struct packaged_file);
        *file = (struct packaged_file){packaged->packages[i], entry};
        return file;
    }
    return NULL;
}

bool packaged_text(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file,
                   struct text *ret_text, struct err *err)
{
    struct sourced found = {.package = file->package, .entry = file->entry};
    const struct sourced *reached = &found;
    if (file->entry->kind == ENTRY_SYMLINK)
        reached = fileset_walk(packaged->set, arena, file->entry->path, NULL, NULL);
    const struct entry *content = reached ? sourced_content(reached) : NULL;
    *ret_text = TEXT("");
    if (!content)
        return true;
    if (content->size_bytes > PACKAGED_BYTES_MAX) {
        err_set(err, ERR_MALFORMED, "package %s: %s has more than %zu KiB", file->package->name, file->entry->path,
                PACKAGED_BYTES_MAX >> 10);
        return false;
    }
    struct digest digest = digest_of(content->data, (size_t)content->size_bytes);
    if (!digest_eq(&digest, &content->digest)) {
        err_set(err, ERR_TRUST, "%s (package %s): its bytes are not those that were unpacked; remove the cache",
                file->entry->path, file->package->name);
        return false;
    }
    *ret_text = (struct text){content->data, (size_t)content->size_bytes};
    return true;
}

bool packaged_read(struct arena *arena, const struct packaged *packaged, const struct wishes *made, const char *path,
                   struct text *ret_text, bool *ret_found, struct err *err)
{
    const struct wish_made *wish = made ? wishes_made(made, path) : NULL;
    const char *reason, *source = wish && wish->kind == MADE_COPY ? wish->source : NULL;
    source = source ? path_canonical(arena, text_of(source), &reason) : path;
    *ret_text = TEXT("");
    *ret_found = true;
    if (wish && wish->kind == MADE_FILE) {
        *ret_text = text_of(wish->content ? wish->content : "");
        return true;
    }
    const struct packaged_file *file = source ? packaged_find(arena, packaged, source) : NULL;
    *ret_found = file != NULL;
    return !file || packaged_text(arena, packaged, file, ret_text, err);
}

const char *packaged_reached(struct arena *arena, const struct packaged *packaged, const char *path)
{
    const char *reached = NULL;
    (void)fileset_walk(packaged->set, arena, path, NULL, &reached);
    return reached ? reached : path;
}
