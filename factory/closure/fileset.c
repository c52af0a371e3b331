/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/fileset.h"

#include "ground/ground_package.h"
#include "package/path.h"

#include <stdio.h>
#include <stdlib.h>

#define SYMLINKS_MAX 40 /* path_resolution(7) */

/* A link to a directory: of a base, or of a package where another one lists a directory or something below it. */
struct base_link {
    struct sourced file;
    const char *end; /* canonical */
};

bool package_replaces(const struct package *package, const struct package *other)
{
    if (!package->provides_files_replaced)
        return false;
    struct text rest = text_of(package->provides_files_replaced), part;
    while (text_next(&rest, ',', &part)) {
        part = text_trim(part);
        size_t len = 0;
        while (len < part.len && !strchr(" \t\n(:", part.ptr[len]))
            len++;
        if (text_is((struct text){part.ptr, len}, other->name))
            return true;
    }
    return false;
}

const struct entry *sourced_content(const struct sourced *file)
{
    const struct entry *entry = file->listed ? file->listed : file->entry;
    if (entry->kind == ENTRY_HARDLINK)
        entry = package_find(file->package, entry->target);
    return entry && entry->kind == ENTRY_FILE ? entry : NULL;
}

static int compare_packages(const void *a, const void *b)
{
    const struct package *left = *(const struct package *const *)a, *right = *(const struct package *const *)b;
    int order = strcmp(left->name, right->name);
    if (!order)
        order = strcmp(left->architecture, right->architecture);
    return order ? order : strcmp(left->version, right->version);
}

/* A distribution may ship the links of the merged /usr themselves (./bin -> usr/bin). By their canonical path they
 * would point at themselves; the tree makes them. */
static bool is_link_to_itself(const struct entry *entry)
{
    if (entry->kind != ENTRY_SYMLINK || strncmp(entry->path, "/usr/", 5) != 0 || strchr(entry->path + 5, '/'))
        return false;
    const char *target = entry->target;
    return strcmp(target + (*target == '/'), entry->path + 1) == 0;
}

/* Packages come in falling order of names, so that each goes in front of those that are there, unless one of them
 * replaces it. */
static void add_file(struct fileset *set, struct sourced *file)
{
    struct text key = text_of(file->entry->path);
    if (map_add(&set->by_path, key, file))
        return;
    struct sourced *first = map_get(&set->by_path, key);
    bool are_directories = first->entry->kind == ENTRY_DIRECTORY && file->entry->kind == ENTRY_DIRECTORY;
    if (!are_directories && package_replaces(first->package, file->package)) {
        file->shadowed = first->shadowed;
        first->shadowed = file;
        return;
    }
    file->shadowed = first;
    map_set(&set->by_path, key, file);
}

/* Returns where a link "/usr/NAME" of the package of the layout leads to, when that is beside it; else NULL.
 * Of /sbin -> usr/bin the canonical path is /usr/sbin: the target then is seen from the root. */
static const char *merged_target(struct arena *arena, const struct entry *entry)
{
    if (entry->kind != ENTRY_SYMLINK || strncmp(entry->path, "/usr/", 5) != 0 || strchr(entry->path + 5, '/'))
        return NULL;
    const char *target = entry->target;
    if (strncmp(target, "usr/", 4) == 0)
        target = arena_printf(arena, "/%s", target);
    const char *end = path_join_target(arena, entry->path, target);
    bool is_beside = end && strncmp(end, "/usr/", 5) == 0 && end[5] && !strchr(end + 5, '/');
    return is_beside && strcmp(end, entry->path) != 0 ? end : NULL;
}

/* Finds the merged directories: their links get a relative target, however they were written. A link to a link is not
 * followed: no distribution has that, and it could go in circles. */
static void find_merged(struct fileset *set)
{
    const char *layout = set->family ? set->family->layout : NULL;
    for (size_t i = 0; i < set->package_count; i++) {
        bool lays_out = layout && strcmp(set->packages[i]->name, layout) == 0;
        for (size_t j = 0; lays_out && j < set->packages[i]->count; j++) {
            const struct entry *entry = &set->packages[i]->entries[j];
            const char *end = merged_target(set->arena, entry);
            if (!end)
                continue;
            struct entry *plain = arena_new(set->arena, struct entry);
            struct sourced *link = arena_new(set->arena, struct sourced);
            *plain = *entry;
            plain->target = path_basename(end);
            *link = (struct sourced){.package = set->packages[i], .entry = plain};
            (void)map_add(&set->merged, text_of(entry->path), link);
        }
    }
    for (size_t i = 0; i < set->merged.slots.count; i++) {
        const struct sourced *link = set->merged.slots.items[i].value;
        const char *end = path_join_target(set->arena, link->entry->path, link->entry->target);
        if (end && map_get(&set->merged, text_of(end)))
            set->merged.slots.items[i].value = NULL;
    }
}

/* Finds the merged directory that a path is, or lies below; *ret_rest is what is behind it. */
static const struct sourced *find_link(const struct fileset *set, const char *path, const char **ret_rest)
{
    if (!set->merged.slots.count || strncmp(path, "/usr/", 5) != 0)
        return NULL;
    *ret_rest = path + 5 + strcspn(path + 5, "/");
    return map_get(&set->merged, (struct text){path, (size_t)(*ret_rest - path)});
}

const char *fileset_merged(const struct fileset *set, const char *path)
{
    const char *rest = NULL;
    const struct sourced *link = find_link(set, path, &rest);
    return link ? arena_printf(set->arena, "/usr/%s%s", link->entry->target, rest) : path;
}

/* Finds the links to directories that a base has: what packages list below them is where they lead. */
static void find_base_links(struct fileset *set)
{
    const struct package *base = set->package_count ? set->packages[0] : NULL;
    for (size_t i = 0; base && strcmp(base->name, GROUND_PACKAGE_NAME) == 0 && i < base->count; i++) {
        const struct entry *entry = &base->entries[i];
        const char *end = entry->kind == ENTRY_SYMLINK ? ground_package_end(set->arena, base, entry) : NULL;
        if (!end || path_is_within(end, entry->path))
            continue;
        struct base_link *link = arena_new(set->arena, struct base_link);
        *link = (struct base_link){.file = {.package = base, .entry = entry}, .end = end};
        (void)map_add(&set->base_links, text_of(entry->path), link);
    }
}

/* Whether some package lists a directory there, or something in it (an .rpm need not list the directory itself). */
static bool is_directory(const struct fileset *set, const char *path)
{
    const char *inside = arena_printf(set->arena, "%s/", path);
    size_t len = strlen(inside);
    for (size_t i = 0; i < set->package_count; i++) {
        const struct package *package = set->packages[i];
        const struct entry *entry = package_find(package, path);
        size_t below = entry ? package->count : package_first_from(package, inside);
        if ((entry && entry->kind == ENTRY_DIRECTORY) ||
            (below < package->count && strncmp(package->entries[below].path, inside, len) == 0))
            return true;
    }
    return false;
}

/* What packages have links for, and the directories that were looked at. */
struct followed {
    struct fileset *set;
    struct map links; /* path → struct sourced * */
    struct map seen;
};

/* Follows further links on the way to where a link leads, and at its end; NULL when they go in circles. */
static const char *follow_on(const struct followed *followed, const char *path)
{
    struct fileset *set = followed->set;
    for (unsigned step = 0; path && step < SYMLINKS_MAX; step++) {
        const struct sourced *link = NULL;
        size_t len = 0;
        for (const char *slash = path; !link && *slash; slash = path + len) {
            len = (size_t)(slash - path) + 1 + strcspn(slash + 1, "/");
            link = map_get(&followed->links, (struct text){path, len});
        }
        if (!link)
            return path;
        const char *end = path_join_target(set->arena, link->entry->path, link->entry->target);
        path =
            end && !path_is_within(end, link->entry->path) ? arena_printf(set->arena, "%s%s", end, path + len) : NULL;
    }
    return NULL;
}

/* A directory that one package lists, or lists something in, and of which another one has a link. */
static void consider(struct followed *followed, struct text path, const struct package *package)
{
    struct fileset *set = followed->set;
    const struct sourced *link = map_get(&followed->links, path);
    if (!link || link->package == package || map_get(&set->base_links, path) || map_get(&set->merged, path))
        return;
    const char *end = follow_on(followed, link->entry->path);
    if (!end || path_is_within(end, link->entry->path) || !is_directory(set, end))
        return;
    struct base_link *added = arena_new(set->arena, struct base_link);
    *added = (struct base_link){.file = *link, .end = end};
    (void)map_add(&set->base_links, text_of(link->entry->path), added);
}

/* Looks at the directories that an entry lies in. */
static void consider_parents(struct followed *followed, const struct entry *entry, const struct package *package)
{
    struct text path = text_of(entry->path);
    for (const char *slash; (slash = memrchr(path.ptr, '/', path.len)) && slash != path.ptr;) {
        path.len = (size_t)(slash - path.ptr);
        if (!map_add(&followed->seen, path, followed))
            return;
        consider(followed, path, package);
    }
}

/* Finds the links of packages that lead where others list something: dpkg and rpm unpack that through them. */
static void find_followed(struct fileset *set)
{
    struct arena scratch = {0};
    struct followed followed = {set, {.arena = &scratch}, {.arena = &scratch}};
    size_t first = set->package_count && strcmp(set->packages[0]->name, GROUND_PACKAGE_NAME) == 0;
    if (set->package_count < first + 2)
        return; /* there is no other package */
    for (size_t i = first; i < set->package_count; i++) {
        for (size_t j = 0; j < set->packages[i]->count; j++) {
            const struct entry *entry = &set->packages[i]->entries[j];
            if (entry->kind != ENTRY_SYMLINK || is_link_to_itself(entry))
                continue;
            struct sourced *link = arena_new(&scratch, struct sourced);
            *link = (struct sourced){.package = set->packages[i], .entry = entry};
            (void)map_add(&followed.links, text_of(entry->path), link);
        }
    }
    for (size_t i = first; followed.links.slots.count && i < set->package_count; i++) {
        for (size_t j = 0; j < set->packages[i]->count; j++) {
            const struct entry *entry = &set->packages[i]->entries[j];
            if (entry->kind == ENTRY_DIRECTORY)
                consider(&followed, text_of(entry->path), set->packages[i]);
            consider_parents(&followed, entry, set->packages[i]);
        }
    }
    arena_done(&scratch);
}

/* Whether an entry is a directory where another package's link leads on. */
static bool is_led_on(const struct fileset *set, const struct sourced *file)
{
    const struct base_link *link = file->entry->kind == ENTRY_DIRECTORY && set->base_links.slots.count
                                       ? map_get(&set->base_links, text_of(file->entry->path))
                                       : NULL;
    return link && strcmp(link->file.package->name, GROUND_PACKAGE_NAME) != 0;
}

bool fileset_leads_on(const struct fileset *set, const char *path)
{
    const struct base_link *link = map_get(&set->base_links, text_of(path));
    return link && strcmp(link->file.package->name, GROUND_PACKAGE_NAME) == 0;
}

/* Finds the first link of the base on the way to a path. */
static const struct base_link *find_base_link(const struct fileset *set, const char *path, const char **ret_rest)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const struct base_link *link = map_get(&set->base_links, (struct text){path, (size_t)(slash - path)});
        *ret_rest = slash;
        if (link)
            return link;
    }
    return NULL;
}

/* Gives an entry that is listed below links of the base the place where they lead. */
static void place_on_base(const struct fileset *set, struct sourced *file)
{
    const char *path = file->entry->path, *rest;
    const struct base_link *link = NULL, *next;
    for (unsigned i = 0; i < SYMLINKS_MAX && (next = find_base_link(set, path, &rest)); i++) {
        path = arena_printf(set->arena, "%s%s", strcmp(next->end, "/") == 0 ? "" : next->end, rest);
        link = next;
    }
    if (!link || strlen(path) > PATH_MAX_BYTES)
        return;
    struct entry *moved = arena_new(set->arena, struct entry);
    *moved = *file->entry;
    moved->path = path;
    file->listed = file->listed ? file->listed : file->entry;
    file->entry = moved;
    file->through = &link->file;
}

/* A package's entry with the place that it gets. A merged directory itself is one of the set's links, or nothing. */
static bool place_entry(const struct fileset *set, struct sourced *file)
{
    const char *rest = NULL;
    const struct sourced *link = find_link(set, file->entry->path, &rest);
    if (!link)
        return !is_link_to_itself(file->entry);
    if (!*rest)
        return false;
    struct entry *moved = arena_new(set->arena, struct entry);
    *moved = *file->entry;
    file->listed = file->entry;
    moved->path = arena_printf(set->arena, "/usr/%s%s", link->entry->target, rest);
    file->entry = moved;
    file->through = link;
    return true;
}

void fileset_build(struct arena *arena, const struct family *family, const struct package *const *packages,
                   size_t count, struct fileset *ret_set)
{
    const struct package **sorted = arena_new_array(arena, const struct package *, count);
    if (count) {
        memcpy(sorted, packages, count * sizeof(packages[0]));
        qsort(sorted, count, sizeof(sorted[0]), compare_packages);
    }
    *ret_set = (struct fileset){.arena = arena,
                                .family = family,
                                .packages = sorted,
                                .package_count = count,
                                .by_path = {.arena = arena},
                                .merged = {.arena = arena},
                                .base_links = {.arena = arena}};
    find_merged(ret_set);
    find_base_links(ret_set);
    find_followed(ret_set);
    for (size_t i = 0; i < ret_set->merged.slots.count; i++) {
        if (ret_set->merged.slots.items[i].value)
            (void)map_add(&ret_set->by_path, ret_set->merged.slots.items[i].key, ret_set->merged.slots.items[i].value);
    }
    for (size_t i = count; i-- > 0;) {
        struct sourced *files = arena_new_array(arena, struct sourced, sorted[i]->count);
        for (size_t j = 0; j < sorted[i]->count; j++) {
            files[j] = (struct sourced){.package = sorted[i], .entry = &sorted[i]->entries[j]};
            if (!place_entry(ret_set, &files[j]) || is_led_on(ret_set, &files[j]))
                continue;
            if (ret_set->base_links.slots.count && strcmp(sorted[i]->name, GROUND_PACKAGE_NAME) != 0)
                place_on_base(ret_set, &files[j]);
            add_file(ret_set, &files[j]);
            if (files[j].listed)
                list_add(arena, &ret_set->moved, &files[j]);
        }
    }
    ret_set->packaged_count = ret_set->by_path.slots.count;
}

void fileset_settle(struct fileset *set, const char *path, const char *package_name)
{
    path = fileset_merged(set, path);
    struct sourced *file = map_get(&set->by_path, text_of(path));
    while (file && strcmp(file->package->name, package_name) != 0)
        file = file->shadowed;
    if (!file)
        return;
    file->shadowed = NULL;
    map_set(&set->by_path, text_of(path), file);
}

static void seek(const struct fileset *set, struct text what)
{
    if (set->sought && !map_get(set->sought, what)) {
        const char *copy = text_dup(set->sought->arena, what);
        map_set(set->sought, text_of(copy), set->sought);
    }
}

void fileset_seek(const struct fileset *set, const char *what)
{
    seek(set, text_of(what));
}

void fileset_seek_package(const struct fileset *set, const char *name)
{
    if (set->sought)
        fileset_seek(set, arena_printf(set->sought->arena, "=%s", name));
}

static const struct sourced *find_or_seek(const struct fileset *set, struct text path)
{
    const struct sourced *file = map_get(&set->by_path, path);
    if (!file)
        seek(set, path);
    return file;
}

const struct sourced *fileset_find(const struct fileset *set, const char *path)
{
    return find_or_seek(set, text_of(path));
}

static int compare_paths(const void *a, const void *b)
{
    const struct sourced *left = *(const struct sourced *const *)a, *right = *(const struct sourced *const *)b;
    return strcmp(left->entry->path, right->entry->path);
}

void fileset_list(const struct fileset *set, struct arena *arena, const char *prefix, struct sourced_list *ret_files)
{
    size_t len = strlen(prefix);
    *ret_files = (struct sourced_list){0};
    if (len && prefix[len - 1] == '/')
        fileset_seek(set, prefix);
    for (size_t i = 0; i < set->package_count; i++) {
        const struct package *package = set->packages[i];
        for (size_t j = package_first_from(package, prefix); j < package->count; j++) {
            const struct entry *entry = &package->entries[j];
            if (strncmp(entry->path, prefix, len) != 0)
                break;
            const struct sourced *file = fileset_find(set, entry->path);
            if (file && file->entry == entry)
                list_add(arena, ret_files, file);
        }
    }
    for (size_t i = 0; i < set->moved.count; i++) {
        const struct sourced *file = set->moved.items[i];
        if (strncmp(file->entry->path, prefix, len) == 0 && fileset_find(set, file->entry->path) == file)
            list_add(arena, ret_files, file);
    }
    for (size_t i = set->packaged_count; i < set->by_path.slots.count; i++) {
        const struct sourced *file = set->by_path.slots.items[i].value;
        if (strncmp(file->entry->path, prefix, len) == 0)
            list_add(arena, ret_files, file);
    }
    if (ret_files->count)
        qsort(ret_files->items, ret_files->count, sizeof(ret_files->items[0]), compare_paths);
}

/* A walk under way: the directory reached (without a '/' at its end, so "" is the root) and what is still to be walked.
 */
struct walk {
    const struct fileset *set;
    struct arena *arena;
    struct sourced_list *links;
    char reached[PATH_MAX_BYTES + 1];
    size_t reached_len;
    struct text rest;
    unsigned link_count;
};

/* Goes down into one component; false when the path gets too long. */
static bool go_down(struct walk *walk, struct text component)
{
    if (walk->reached_len + 1 + component.len > PATH_MAX_BYTES)
        return false;
    bool is_in_root = walk->reached_len == 0;
    walk->reached[walk->reached_len++] = '/';
    memcpy(walk->reached + walk->reached_len, component.ptr, component.len);
    walk->reached_len += component.len;
    walk->reached[walk->reached_len] = '\0';
    if (!is_in_root || walk->set->is_exact || text_is(component, "usr"))
        return true;
    /* only a name in the root can be one of the links of the merged /usr */
    const char *why = NULL;
    const char *canonical = path_canonical(walk->arena, text_of(walk->reached), &why);
    if (!canonical)
        return false;
    walk->reached_len = strlen(canonical);
    memcpy(walk->reached, canonical, walk->reached_len + 1);
    return true;
}

static void go_up(struct walk *walk)
{
    while (walk->reached_len && walk->reached[--walk->reached_len] != '/')
        ;
    walk->reached[walk->reached_len] = '\0';
}

/* Puts the symlink's target before what is left to walk; false when there were too many. */
static bool follow(struct walk *walk, const struct sourced *link)
{
    if (walk->links)
        list_add(walk->arena, walk->links, link);
    if (++walk->link_count > SYMLINKS_MAX)
        return false;
    go_up(walk);
    const char *target = link->entry->target;
    if (*target == '/')
        walk->reached[walk->reached_len = 0] = '\0';
    walk->rest = text_of(
        arena_printf(walk->arena, "%s/%.*s", target, (int)walk->rest.len, walk->rest.ptr ? walk->rest.ptr : ""));
    return true;
}

/* Walks one component; false when the walk cannot go on. */
static bool take_step(struct walk *walk, struct text component)
{
    if (!component.len || text_is(component, "."))
        return true;
    if (text_is(component, "..")) {
        go_up(walk);
        return true;
    }
    if (!go_down(walk, component))
        return false;
    const struct sourced *file = find_or_seek(walk->set, (struct text){walk->reached, walk->reached_len});
    if (!file || file->entry->kind == ENTRY_DIRECTORY)
        return true; /* absent: packages need not list every directory */
    return file->entry->kind == ENTRY_SYMLINK ? follow(walk, file) : walk->rest.len == 0;
}

const struct sourced *fileset_walk(const struct fileset *set, struct arena *arena, const char *path,
                                   struct sourced_list *ret_links, const char **ret_path)
{
    struct walk walk = {.set = set, .arena = arena, .links = ret_links, .rest = text_of(path)};
    struct text component;
    bool is_whole = true;
    while (is_whole && text_next(&walk.rest, '/', &component))
        is_whole = take_step(&walk, component);
    if (ret_path)
        *ret_path = walk.reached_len ? arena_strndup(arena, walk.reached, walk.reached_len) : "/";
    if (!is_whole)
        return NULL;
    return find_or_seek(set, walk.reached_len ? (struct text){walk.reached, walk.reached_len} : TEXT("/"));
}
