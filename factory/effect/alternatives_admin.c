/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/alternatives_admin.h"

#include "package/path.h"

#include <inttypes.h>
#include <stdlib.h>

#define PARTS_MAX ((size_t)1000) /* slaves, and choices, of one name */

struct slave {
    const char *name, *link;
};

struct choice_made {
    const char *path;
    int64_t priority;
    struct map slaves; /* name → path */
};

/* One name of the database. */
struct group {
    const char *name, *link;
    bool is_manual;
    LIST(struct slave) slaves;
    LIST(struct choice_made) choices;
};

static int compare_slaves(const void *a, const void *b)
{
    return strcmp(((const struct slave *)a)->name, ((const struct slave *)b)->name);
}

static int compare_choices(const void *a, const void *b)
{
    return strcmp(((const struct choice_made *)a)->path, ((const struct choice_made *)b)->path);
}

static void add_slave(struct arena *arena, struct group *group, const char *name, const char *link)
{
    for (size_t i = 0; i < group->slaves.count; i++) {
        if (strcmp(group->slaves.items[i].name, name) == 0) {
            group->slaves.items[i].link = link;
            return;
        }
    }
    list_add(arena, &group->slaves, ((struct slave){name, link}));
}

static struct choice_made *add_choice(struct arena *arena, struct group *group, const char *path, int64_t priority)
{
    struct choice_made *choice = NULL;
    for (size_t i = 0; i < group->choices.count && !choice; i++) {
        if (strcmp(group->choices.items[i].path, path) == 0)
            choice = &group->choices.items[i];
    }
    if (!choice) {
        list_add(arena, &group->choices, (struct choice_made){.path = path});
        choice = &group->choices.items[group->choices.count - 1];
    }
    choice->priority = priority;
    choice->slaves = (struct map){.arena = arena};
    return choice;
}

static bool next_line(struct arena *arena, struct text *rest, const char **ret_line)
{
    struct text line;
    if (!rest->len || !text_next(rest, '\n', &line))
        return false;
    *ret_line = text_dup(arena, line);
    return true;
}

static bool parse_choices(struct arena *arena, struct text *rest, struct group *group)
{
    const char *path, *priority, *slave;
    while (next_line(arena, rest, &path) && *path) {
        if (group->choices.count >= PARTS_MAX || !next_line(arena, rest, &priority))
            return false;
        struct choice_made *choice = add_choice(arena, group, path, strtoll(priority, NULL, 10));
        for (size_t i = 0; i < group->slaves.count; i++) {
            if (!next_line(arena, rest, &slave))
                return false;
            if (*slave)
                map_set(&choice->slaves, text_of(group->slaves.items[i].name), (void *)slave);
        }
    }
    return true;
}

/* Reads what the base has of a name. */
static bool parse_group(struct arena *arena, struct text bytes, struct group *group)
{
    const char *mode, *name, *link;
    if (!next_line(arena, &bytes, &mode) || !next_line(arena, &bytes, &group->link))
        return false;
    group->is_manual = strcmp(mode, "auto") != 0;
    while (next_line(arena, &bytes, &name) && *name) {
        if (!next_line(arena, &bytes, &link) || group->slaves.count >= PARTS_MAX)
            return false;
        add_slave(arena, group, name, link);
    }
    return parse_choices(arena, &bytes, group);
}

/* A name becomes a file's name. */
static bool is_name(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 200;
}

static bool open_group(struct arena *arena, const struct alternatives_request *request, const char *name,
                       struct map *groups, struct group **ret_group, struct err *err)
{
    struct text bytes;
    bool is_found = false;
    *ret_group = map_get(groups, text_of(name));
    if (*ret_group)
        return true;
    *ret_group = arena_new(arena, struct group);
    (*ret_group)->name = name;
    map_set(groups, text_of(name), *ret_group);
    const char *path = arena_printf(arena, "%s/%s", request->dir, name);
    if (request->ground && !ground_read(request->ground, path, &bytes, &is_found, err))
        return false;
    if (!is_found || parse_group(arena, bytes, *ret_group))
        return true;
    err_set(err, ERR_MALFORMED, "the base's %s is no file of update-alternatives", path);
    return false;
}

/* Adds what one command registers, unless it is of what is not there. */
static bool register_one(struct arena *arena, const struct alternatives_request *request,
                         const struct alternatives *found, struct map *groups, struct err *err)
{
    const struct alternative *master = &found->items[0];
    struct group *group;
    if (!is_name(master->name) || !fileset_walk(request->set, arena, master->path, NULL, NULL))
        return true;
    if (!open_group(arena, request, master->name, groups, &group, err))
        return false;
    group->link = master->link;
    struct choice_made *choice = add_choice(arena, group, master->path, found->priority);
    for (size_t i = 1; i < found->count; i++) {
        add_slave(arena, group, found->items[i].name, found->items[i].link);
        map_set(&choice->slaves, text_of(found->items[i].name), (void *)found->items[i].path);
    }
    return true;
}

static bool read_package(struct arena *arena, const struct alternatives_request *request, const struct package *package,
                         struct map *groups, struct err *err)
{
    struct alternatives_list list;
    alternatives_of(arena, request->set, package, &list);
    for (size_t i = 0; i < list.count; i++) {
        if (!register_one(arena, request, &list.items[i], groups, err))
            return false;
    }
    return true;
}

static const char *print_group(struct arena *arena, const struct group *group)
{
    struct strings lines = {0};
    list_add(arena, &lines, group->is_manual ? "manual" : "auto");
    list_add(arena, &lines, group->link);
    for (size_t i = 0; i < group->slaves.count; i++) {
        list_add(arena, &lines, group->slaves.items[i].name);
        list_add(arena, &lines, group->slaves.items[i].link);
    }
    list_add(arena, &lines, "");
    for (size_t i = 0; i < group->choices.count; i++) {
        const struct choice_made *choice = &group->choices.items[i];
        list_add(arena, &lines, choice->path);
        list_add(arena, &lines, arena_printf(arena, "%" PRId64, choice->priority));
        for (size_t k = 0; k < group->slaves.count; k++) {
            const char *path = map_get(&choice->slaves, text_of(group->slaves.items[k].name));
            list_add(arena, &lines, path ? path : "");
        }
    }
    list_add(arena, &lines, "\n");
    return strings_join(arena, &lines, "\n");
}

/* Returns whether a generic name may become a link: nothing is there, or such a link already. */
static bool is_free(struct arena *arena, const struct alternatives_request *request, const char *link,
                    const char *target)
{
    const char *why, *path = path_canonical(arena, text_of(link), &why);
    const struct sourced *file = path ? fileset_find(request->set, path) : NULL;
    return path && (!file || (file->entry->kind == ENTRY_SYMLINK && strcmp(file->entry->target, target) == 0));
}

static void add_link(struct arena *arena, const struct alternatives_request *request, const struct slave *name,
                     const char *path, struct alternatives_changes *changes)
{
    const char *generic = arena_printf(arena, "/etc/alternatives/%s", name->name);
    if (!is_name(name->name) || !fileset_walk(request->set, arena, path, NULL, NULL) ||
        !is_free(arena, request, name->link, generic))
        return;
    list_add(arena, changes, ((struct alternatives_change){.path = name->link, .target = generic}));
    list_add(arena, changes, ((struct alternatives_change){.path = generic, .target = path}));
}

static void add_changes(struct arena *arena, const struct alternatives_request *request, struct group *group,
                        struct alternatives_changes *changes)
{
    const struct choice_made *best = NULL;
    if (group->slaves.count)
        qsort(group->slaves.items, group->slaves.count, sizeof group->slaves.items[0], compare_slaves);
    if (group->choices.count)
        qsort(group->choices.items, group->choices.count, sizeof group->choices.items[0], compare_choices);
    for (size_t i = 0; i < group->choices.count; i++) {
        const struct choice_made *choice = &group->choices.items[i];
        if (!best || choice->priority > best->priority)
            best = choice;
    }
    list_add(arena, changes,
             ((struct alternatives_change){.path = arena_printf(arena, "%s/%s", request->dir, group->name),
                                           .text = print_group(arena, group)}));
    if (group->is_manual || !best)
        return;
    add_link(arena, request, &(struct slave){group->name, group->link}, best->path, changes);
    for (size_t i = 0; i < group->slaves.count; i++) {
        const char *path = map_get(&best->slaves, text_of(group->slaves.items[i].name));
        if (path)
            add_link(arena, request, &group->slaves.items[i], path, changes);
    }
}

bool alternatives_continue(struct arena *arena, const struct alternatives_request *request,
                           struct alternatives_changes *ret_changes, struct err *err)
{
    struct map groups = {.arena = arena};
    *ret_changes = (struct alternatives_changes){0};
    for (size_t i = 0; i < request->count; i++) {
        if (!read_package(arena, request, request->packages[i], &groups, err))
            return false;
    }
    for (size_t i = 0; i < groups.slots.count; i++)
        add_changes(arena, request, groups.slots.items[i].value, ret_changes);
    return true;
}
