/* SPDX-License-Identifier: Apache-2.0 */
/* What every image has besides its own files, as every installed system of the family has it: places to write to, and the
 * links of /var that lead into /run. */
#include "package/path.h"
#include "plan/rules.h"
#include "tree/tree_draft.h"

/* The number of an owner or group of the skeleton: a family has no accounts of its own, so it is one, or "root". */
static uint32_t number_of(const char *name)
{
    uint32_t number;
    return rule_parse_id(name, &number) ? number : 0;
}

struct node skeleton_node(const struct wish_made *made)
{
    return (struct node){.path = made->path,
                         .kind = made->kind == MADE_DIRECTORY ? NODE_DIRECTORY : NODE_SYMLINK,
                         .mode = made->mode,
                         .uid = number_of(made->owner),
                         .gid = number_of(made->group),
                         .target = made->target};
}

const struct wish_made *drafts_skeleton_directory(const struct drafts *drafts, const char *path)
{
    const struct wish_made *made = wishes_made(&drafts->request->set->family->skeleton, path);
    return made && made->kind == MADE_DIRECTORY ? made : NULL;
}

/* Who wants something at a path before anything of it is in the tree: the manifest, else a package's kept file. */
struct wanted {
    const struct wish_made *made;
    const struct entry *entry;
};

static struct wanted find_wanted(const struct drafts *drafts, const char *path)
{
    const struct wishes *wishes = drafts->request->wishes;
    const struct keep *keep = drafts->request->keep;
    const char *reason;
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (wishes->made.items[i].is_automatic)
            continue;
        const char *made = path_canonical(drafts->arena, text_of(wishes->made.items[i].path), &reason);
        if (made && strcmp(made, path) == 0)
            return (struct wanted){.made = &wishes->made.items[i]};
    }
    for (size_t i = 0; i < keep->count; i++) {
        if (strcmp(keep->items[i].file->entry->path, path) == 0)
            return (struct wanted){.entry = keep->items[i].file->entry};
    }
    return (struct wanted){0};
}

/* Returns whether something that is no directory is wanted there. */
static bool is_blocked(const struct drafts *drafts, const char *path)
{
    struct wanted wanted = find_wanted(drafts, path);
    return (wanted.made && wanted.made->kind != MADE_DIRECTORY) ||
           (wanted.entry && wanted.entry->kind != ENTRY_DIRECTORY);
}

/* A directory that a package has there is none on an installed system either: dpkg and rpm find the link and go through
 * it. One that the manifest makes is meant. Another link or a file is its giver's. */
static bool is_link(const struct drafts *drafts, const char *path, const char *end)
{
    struct wanted wanted = find_wanted(drafts, path);
    const char *target = NULL;
    if (wanted.made)
        target = wanted.made->kind == MADE_SYMLINK ? wanted.made->target : "";
    else if (wanted.entry && wanted.entry->kind != ENTRY_DIRECTORY)
        target = wanted.entry->kind == ENTRY_SYMLINK ? wanted.entry->target : "";
    const char *reached = target ? path_join_target(drafts->arena, path, target) : end;
    return reached && strcmp(reached, end) == 0;
}

/* The link has its place, what it leads to may be a directory, and so may all above both. */
static bool has_room(const struct drafts *drafts, const struct skeleton_link *link)
{
    return !is_blocked(drafts, path_dirname(drafts->arena, link->path)) && !is_blocked(drafts, link->end) &&
           !is_blocked(drafts, path_dirname(drafts->arena, link->end));
}

void drafts_plan_skeleton(struct drafts *drafts)
{
    const struct wishes *skeleton = &drafts->request->set->family->skeleton;
    for (size_t i = 0; i < skeleton->made.count; i++) {
        const struct wish_made *made = &skeleton->made.items[i];
        if (made->kind != MADE_SYMLINK)
            continue;
        struct skeleton_link link = {made->path, path_join_target(drafts->arena, made->path, made->target)};
        if (link.end && is_link(drafts, link.path, link.end) && has_room(drafts, &link))
            list_add(drafts->arena, &drafts->links, link);
    }
}

/* Returns what is behind the directory in the path; NULL when the path is not below it. */
static const char *below(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && path[len] == '/' ? path + len : NULL;
}

const char *drafts_place(const struct drafts *drafts, const char *path)
{
    for (size_t i = 0; i < drafts->links.count; i++) {
        const char *rest = below(path, drafts->links.items[i].path);
        if (rest)
            return arena_printf(drafts->arena, "%s%s", drafts->links.items[i].end, rest);
    }
    return path;
}

const char *drafts_link_end(const struct drafts *drafts, const char *path)
{
    for (size_t i = 0; i < drafts->links.count; i++) {
        if (strcmp(path, drafts->links.items[i].path) == 0)
            return drafts->links.items[i].end;
    }
    return NULL;
}

const char *drafts_listed_at(const struct drafts *drafts, const char *path, size_t i)
{
    const char *rest = below(path, drafts->links.items[i].end);
    return rest ? arena_printf(drafts->arena, "%s%s", drafts->links.items[i].path, rest) : NULL;
}
