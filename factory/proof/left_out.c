/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/left_out.h"

#include "package/elf.h"
#include "package/path.h"

#include <stdlib.h>

#define NAMED_MAX 4 /* of one kind in the sentence */

enum left_kind { LEFT_CONFIGURATION, LEFT_UNIT, LEFT_INIT, LEFT_PROGRAM, LEFT_PLUGIN, LEFT_NOTHING };
#define LEFT_COUNT LEFT_NOTHING

/* What is left out of one kind. */
struct left {
    size_t count;
    struct strings names; /* directories, or base names, each once */
};

struct looking {
    struct arena *arena;
    const struct left_out_request *request;
    struct left left[LEFT_COUNT];
    bool has_unit;
};

static int compare_path(const void *key, const void *node)
{
    return strcmp(key, ((const struct node *)node)->path);
}

static bool is_in_tree(const struct tree *tree, const char *path)
{
    return tree->count && bsearch(path, tree->nodes, tree->count, sizeof tree->nodes[0], compare_path);
}

static bool is_unit(const char *dir, const char *name)
{
    const char *dot = strrchr(name, '.');
    return strcmp(dir, "/usr/lib/systemd/system") == 0 && dot &&
           (strcmp(dot, ".service") == 0 || strcmp(dot, ".socket") == 0);
}

static enum left_kind kind_of(const struct looking *looking, const struct entry *entry)
{
    const struct left_out_request *request = looking->request;
    const char *dir = path_dirname(looking->arena, entry->path), *name = path_basename(entry->path);
    if (is_unit(dir, name))
        return LEFT_UNIT;
    if (strcmp(dir, "/etc/init.d") == 0)
        return LEFT_INIT;
    if (path_is_within_any(entry->path, &request->family->for_host) ||
        path_is_within_any(entry->path, &request->family->documentation) || entry->is_documentation)
        return LEFT_NOTHING;
    if (path_is_below(entry->path, "/etc"))
        return LEFT_CONFIGURATION;
    if (strcmp(dir, "/usr/bin") == 0 || strcmp(dir, "/usr/sbin") == 0)
        return LEFT_PROGRAM;
    if (entry->elf && !entry->elf->interp && strstr(name, ".so") && !strings_has(&request->arch->library_dirs, dir))
        return LEFT_PLUGIN;
    return LEFT_NOTHING;
}

/* "/etc/nsd" of anything below it. */
static const char *place_of(struct arena *arena, const char *path)
{
    const char *below = path + strlen("/etc/"), *end = strchr(below, '/');
    return end ? arena_strndup(arena, path, (size_t)(end - path)) : "/etc";
}

static void look_at(struct looking *looking, const struct entry *entry)
{
    enum left_kind kind = kind_of(looking, entry);
    if (kind == LEFT_NOTHING)
        return;
    looking->has_unit = looking->has_unit || kind == LEFT_UNIT;
    const struct map *told = looking->request->told;
    if (is_in_tree(looking->request->tree, entry->path) || (told && map_get(told, text_of(entry->path))))
        return;
    struct left *left = &looking->left[kind];
    const char *name = kind == LEFT_CONFIGURATION ? place_of(looking->arena, entry->path)
                       : kind == LEFT_PLUGIN      ? path_dirname(looking->arena, entry->path)
                                                  : path_basename(entry->path);
    left->count++;
    if (!strings_has(&left->names, name))
        list_add(looking->arena, &left->names, name);
}

/* "a, b, c and 3 more" */
static const char *list_names(struct arena *arena, const struct strings *names)
{
    struct strings named = *names;
    if (named.count > NAMED_MAX)
        named.count = NAMED_MAX;
    const char *list = strings_join(arena, &named, ", ");
    return names->count > NAMED_MAX ? arena_printf(arena, "%s and %zu more", list, names->count - NAMED_MAX) : list;
}

/* How a kind is told: "3 configuration files in /etc/nsd", "unit nsd.service". */
struct wording {
    const char *one, *many;
    bool is_counted;
    const char *before, *after; /* of the names */
};

static const struct wording wordings[LEFT_COUNT] = {
    [LEFT_CONFIGURATION] = {"configuration file", "configuration files", true, " in ", ""},
    [LEFT_UNIT] = {"unit", "units", false, " ", ""},
    [LEFT_INIT] = {"init script", "init scripts", false, " ", ""},
    [LEFT_PROGRAM] = {"program", "programs", true, " (", ")"},
    [LEFT_PLUGIN] = {"plug-in", "plug-ins", true, " in ", ""},
};

/* Finds a file of the service that names a directory: it is the one that opens what is there. */
static const char *find_opener(const struct left_out_request *request, const char *dir)
{
    for (size_t i = 0; i < request->tree->count; i++) {
        const struct node *node = &request->tree->nodes[i];
        bool is_own = node->kind == NODE_FILE && node->package && own_has(request->own, node->package);
        if (is_own && elf_is((struct text){node->data, (size_t)node->size_bytes}) &&
            memmem(node->data, (size_t)node->size_bytes, dir, strlen(dir)))
            return node->path;
    }
    return NULL;
}

/* The directories of plug-ins, each with who opens them. */
static struct strings with_openers(struct arena *arena, const struct left_out_request *request,
                                   const struct strings *dirs)
{
    struct strings named = {0};
    for (size_t i = 0; i < dirs->count; i++) {
        const char *opener = i < NAMED_MAX ? find_opener(request, dirs->items[i]) : NULL;
        list_add(arena, &named,
                 opener ? arena_printf(arena, "%s (which %s names)", dirs->items[i], opener) : dirs->items[i]);
    }
    return named;
}

static const char *describe(struct arena *arena, const struct left *left, const struct wording *wording)
{
    const char *noun = left->count == 1 ? wording->one : wording->many;
    const char *what = wording->is_counted ? arena_printf(arena, "%zu %s", left->count, noun) : noun;
    return arena_printf(arena, "%s%s%s%s", what, wording->before, list_names(arena, &left->names), wording->after);
}

/* Whether nothing of the kind is missed: how the service runs was read, or is told by a unit. */
static bool is_known(const struct looking *looking, enum left_kind kind)
{
    bool is_read = looking->request->is_unit_read;
    return (kind == LEFT_UNIT && is_read) || (kind == LEFT_INIT && (is_read || looking->has_unit));
}

const char *left_out_sentence(struct arena *arena, const struct left_out_request *request)
{
    struct looking looking = {.arena = arena, .request = request};
    struct strings parts = {0};
    for (size_t p = 0; p < request->own->packages.count; p++) {
        const struct package *package = request->own->packages.items[p];
        for (size_t i = 0; i < package->count; i++) {
            if (package->entries[i].kind != ENTRY_DIRECTORY)
                look_at(&looking, &package->entries[i]);
        }
    }
    looking.left[LEFT_PLUGIN].names = with_openers(arena, request, &looking.left[LEFT_PLUGIN].names);
    for (size_t kind = 0; kind < LEFT_COUNT; kind++) {
        if (looking.left[kind].count && !is_known(&looking, (enum left_kind)kind))
            list_add(arena, &parts, describe(arena, &looking.left[kind], &wordings[kind]));
    }
    if (!parts.count)
        return NULL;
    return arena_printf(arena, "packages of the service (%s) ship what is not in the image: %s",
                        list_names(arena, &request->own->names), strings_join(arena, &parts, ", "));
}

/* Whether a package ships a file at the path, or below it, that is not only for people. */
static bool ships(const struct package *package, const char *path)
{
    for (size_t i = 0; i < package->count; i++) {
        const struct entry *entry = &package->entries[i];
        if (entry->kind != ENTRY_DIRECTORY && !entry->is_documentation && path_is_within(entry->path, path) &&
            strncmp(path_basename(entry->path), "README", strlen("README")) != 0)
            return true;
    }
    return false;
}

static bool has_anything(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].kind != NODE_DIRECTORY && path_is_within(tree->nodes[i].path, path))
            return true;
    }
    return false;
}

void left_out_of_data(struct arena *arena, const struct volumes *volumes, const struct package *const *packages,
                      size_t package_count, const struct tree *tree, struct strings *notes)
{
    for (size_t v = 0; v < volumes->list.count; v++) {
        for (size_t i = 0; i < volumes->list.items[v].paths.count; i++) {
            const struct volume_path *path = &volumes->list.items[v].paths.items[i];
            struct strings names = {0};
            if (has_anything(tree, path->path))
                continue;
            for (size_t p = 0; p < package_count; p++) {
                if (packages[p] && ships(packages[p], path->path) && !strings_has(&names, packages[p]->name))
                    list_add(arena, &names, packages[p]->name);
            }
            if (names.count)
                list_add(arena, notes,
                         arena_printf(
                             arena, "data: nothing is at %s, of which %s ships files: 'packages: install' brings them",
                             path->path, list_names(arena, &names)));
        }
    }
}
