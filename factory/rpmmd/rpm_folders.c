/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_folders.h"

#include <solv/dirpool.h>
#include <solv/pool.h>
#include <solv/repo.h>
#include <string.h>

/* Gives the count of a folder that may be new. */
static uint32_t *count_of(struct rpm_folders *folders, Id folder)
{
    size_t index = (size_t)folder;
    if (index >= folders->capacity) {
        size_t capacity = index < 1000 ? 2000 : index * 2;
        uint32_t *counts = arena_new_array(folders->arena, uint32_t, capacity);
        if (folders->capacity)
            memcpy(counts, folders->counts, folders->capacity * sizeof *counts);
        folders->counts = counts;
        folders->capacity = capacity;
    }
    return &folders->counts[index];
}

/* Gives the place of a folder in the table: with it, or free. */
static struct rpm_folder *place_of(const struct rpm_folders *folders, Id parent, Id name)
{
    uint64_t hash = ((uint64_t)(uint32_t)parent << 32 | (uint32_t)name) * 0x9E3779B97F4A7C15u; /* Fibonacci hashing */
    for (size_t at = (size_t)(hash >> 32);; at++) {
        struct rpm_folder *place = &folders->known[at & (folders->known_capacity - 1)];
        if (!place->folder || (place->parent == parent && place->name == name))
            return place;
    }
}

/* Makes room for one more: at most half of the table is full. */
static void make_room(struct rpm_folders *folders)
{
    if (folders->known_count * 2 < folders->known_capacity)
        return;
    struct rpm_folders grown = *folders;
    grown.known_capacity = folders->known_capacity ? folders->known_capacity * 2 : 4096;
    grown.known = arena_new_array(folders->arena, struct rpm_folder, grown.known_capacity);
    for (size_t i = 0; i < folders->known_capacity; i++) {
        const struct rpm_folder *one = &folders->known[i];
        if (one->folder)
            *place_of(&grown, one->parent, one->name) = *one;
    }
    *folders = grown;
}

/* Adds a folder that is not there, as dirpool_add_dir() does (libsolv's dirpool.c): but what is beside it, a chain of blocks that
 * begins at dirtraverse[parent], is put aside meanwhile, as we know that it is none of these. */
static Id add_new(Dirpool *tree, Id parent, Id name)
{
    if (!tree->ndirs)
        return dirpool_add_dir(tree, parent, name, 1); /* the first one: there is no chain */
    if (!tree->dirtraverse)
        dirpool_make_dirtraverse(tree);
    Id beside = tree->dirtraverse[parent];
    tree->dirtraverse[parent] = 0;
    Id folder = dirpool_add_dir(tree, parent, name, 1);
    Id block = tree->dirtraverse[parent]; /* of the folder, when it is not in the last block of the chain */
    tree->dirtraverse[block ? block - 1 : parent] = beside;
    return folder;
}

/* Adds a folder to its parent, unless it is there; 0: too many beside each other. */
static Id add_one(struct rpm_folders *folders, Id parent, Id name)
{
    Dirpool *tree = &folders->data->dirpool;
    make_room(folders);
    struct rpm_folder *place = place_of(folders, parent, name);
    if (place->folder)
        return place->folder;
    uint32_t *count = count_of(folders, parent);
    folders->steps += *count;
    if (folders->steps > RPM_FOLDERS_MAX_STEPS)
        return 0;
    int before = tree->ndirs;
    *place = (struct rpm_folder){parent, name, add_new(tree, parent, name)};
    *count += tree->ndirs > before;
    folders->known_count++;
    return place->folder;
}

/* As repodata_str2dir() does it: the first component of an absolute path is empty. */
Id rpm_folders_add(struct rpm_folders *folders, const char *path)
{
    Id folder = 0;
    if (strspn(path, "/") == strlen(path))
        return repodata_str2dir(folders->data, "/", 1);
    path += strspn(path, "/") - 1;
    for (;;) {
        size_t len = strcspn(path, "/");
        folder = add_one(folders, folder, pool_strn2id(folders->data->repo->pool, path, (unsigned)len, 1));
        path += len;
        path += strspn(path, "/");
        if (!folder || !*path)
            return folder;
    }
}
