/* SPDX-License-Identifier: Apache-2.0 */
#include "ground/ground_package.h"

#include "base/map.h"
#include "ground/ground_path.h"
#include "package/path.h"

#include <stdlib.h>

/* The links of the merged /usr themselves are no entries: by their canonical path they would lead to themselves. */
static bool is_alias(const struct entry *entry, const char *canonical)
{
    return entry->kind == ENTRY_SYMLINK && strcmp(entry->path, canonical) != 0 && !strchr(entry->path + 1, '/');
}

static const char *canonical_of(struct arena *arena, const char *path)
{
    const char *why;
    if (strncmp(path, "/usr/", 5) == 0)
        return path;
    const char *canonical = path_canonical(arena, text_of(path), &why);
    return canonical && strcmp(canonical, path) != 0 ? canonical : path;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* Adds what is listed elsewhere than it is, behind all others: these win. */
static void add_moved(struct arena *arena, const struct ground *ground, struct package *package)
{
    struct map known = {.arena = arena};
    for (size_t i = 0; i < package->count; i++)
        (void)map_add(&known, text_of(package->entries[i].path), package);
    for (size_t i = 0; i < ground->package->count; i++) {
        struct entry entry = ground->package->entries[i];
        const char *canonical = canonical_of(arena, entry.path);
        if (canonical == entry.path || is_alias(&entry, canonical) || !map_add(&known, text_of(canonical), package))
            continue;
        entry.path = canonical;
        package->entries[package->count++] = entry;
    }
    if (package->count)
        qsort(package->entries, package->count, sizeof package->entries[0], compare_entries);
}

const struct package *ground_package(struct arena *arena, const struct ground *ground)
{
    const struct package *all = ground->package;
    struct package *package = arena_new(arena, struct package);
    bool is_any_moved = false;
    *package = (struct package){.format = all->format,
                                .name = GROUND_PACKAGE_NAME,
                                .version = "",
                                .architecture = "",
                                .entries = arena_new_array(arena, struct entry, all->count + 1)};
    for (size_t i = 0; i < all->count; i++) {
        const char *canonical = canonical_of(arena, all->entries[i].path);
        if (canonical == all->entries[i].path && !ground_is_special(&all->entries[i]))
            package->entries[package->count++] = all->entries[i];
        else
            is_any_moved = is_any_moved || !is_alias(&all->entries[i], canonical);
    }
    if (is_any_moved)
        add_moved(arena, ground, package);
    for (size_t i = 0; i < package->count; i++) {
        struct entry *entry = &package->entries[i];
        entry->owner = entry->group = NULL; /* of a base: numbers are known */
        if (entry->kind == ENTRY_HARDLINK)
            entry->target = canonical_of(arena, entry->target);
    }
    return package;
}

static const struct entry *look(void *self, struct text path, const char **ret_why)
{
    const struct package *package = self;
    char name[PATH_MAX_BYTES + 1];
    (void)ret_why;
    if (path.len >= sizeof name)
        return NULL;
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    return package_find(package, name);
}

const char *ground_package_end(struct arena *arena, const struct package *package, const struct entry *link)
{
    struct ground_walk walk = {.look = look, .self = (void *)package, .follows_last = true};
    const char *why = NULL, *end = ground_path(&walk, arena, link->path, &why);
    const char *canonical = end ? path_canonical(arena, text_of(end), &why) : NULL;
    const struct entry *there = canonical ? package_find(package, canonical) : NULL;
    return canonical && (!there || there->kind == ENTRY_DIRECTORY) ? canonical : NULL;
}
