/* SPDX-License-Identifier: Apache-2.0 */
/* The tree while it is put together: nodes by path, their parents, and who gave them. */
#include "tree/tree_draft.h"

#include "package/path.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

struct draft *drafts_find(const struct drafts *drafts, const char *path)
{
    return map_get(&drafts->by_path, text_of(path));
}

const char *draft_giver(struct arena *arena, const struct draft *draft)
{
    if (draft->node.package)
        return arena_printf(arena, "package %s", draft->node.package->name);
    return draft->made ? wish_giver(draft->made->giver) : "imgfactory itself";
}

const char *draft_kind_name(enum node_kind kind)
{
    switch (kind) {
    case NODE_DIRECTORY:
        return "directory";
    case NODE_FILE:
        return "file";
    case NODE_SYMLINK:
        return "symlink";
    case NODE_HARDLINK:
        return "hard link";
    }
    return "entry";
}

bool made_fail(const struct drafts *drafts, const struct wish_made *made, struct err *err, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (made->node)
        return yaml_fail(made->node, err, "%s", text);
    err_set(err, ERR_USAGE, "%s: %s", drafts->request->manifest->path, text);
    return false;
}

struct draft draft_of(const struct sourced *file, const char *why)
{
    const struct entry *entry = file->entry, *content = sourced_content(file);
    const struct entry *facts = content ? content : entry;
    struct draft draft = {.file = file, .content = content, .owner = facts->owner, .group = facts->group};
    draft.node = (struct node){.path = entry->path,
                               .kind = NODE_FILE,
                               .mode = facts->mode,
                               .uid = facts->uid,
                               .gid = facts->gid,
                               .mtime = facts->mtime,
                               .package = file->package,
                               .why = why};
    if (entry->kind == ENTRY_DIRECTORY)
        draft.node.kind = NODE_DIRECTORY;
    if (entry->kind == ENTRY_SYMLINK) {
        draft.node.kind = NODE_SYMLINK;
        draft.node.target = entry->target;
    }
    if (content) {
        draft.node.size_bytes = content->size_bytes;
        draft.node.data = content->data;
        draft.node.digest = &content->digest;
        draft.node.capability = content->capability;
    }
    return draft;
}

struct draft *drafts_put(struct drafts *drafts, const struct draft *draft)
{
    struct draft *copy = arena_new(drafts->arena, struct draft);
    *copy = *draft;
    map_set(&drafts->by_path, text_of(copy->node.path), copy);
    return copy;
}

bool drafts_add(struct drafts *drafts, const struct node *node, struct draft **ret_draft, struct err *err)
{
    const struct draft *there = drafts_find(drafts, node->path);
    if (there) {
        err_set(err, ERR_RESOLVE, "%s: wanted as a %s (%s), but it is a %s of %s", node->path,
                draft_kind_name(node->kind), node->why, draft_kind_name(there->node.kind),
                draft_giver(drafts->arena, there));
        return false;
    }
    struct draft *draft = drafts_put(drafts, &(struct draft){.node = *node});
    if (ret_draft)
        *ret_draft = draft;
    return drafts_add_parents(drafts, draft, err);
}

/* Finds the directory as the child's package lists it, else as the first package by name; NULL when none does. */
static const struct sourced *find_listed(const struct drafts *drafts, const char *path, const struct package *package)
{
    const struct sourced *first = NULL;
    for (const struct sourced *at = fileset_find(drafts->request->set, path); at; at = at->shadowed) {
        if (at->entry->kind != ENTRY_DIRECTORY)
            continue;
        if (at->package == package)
            return at;
        first = first ? first : at;
    }
    return first;
}

/* The same for a directory that may be listed through a link of the skeleton. */
static const struct sourced *find_directory(const struct drafts *drafts, const char *path,
                                            const struct package *package)
{
    const struct sourced *best = find_listed(drafts, path, package);
    for (size_t i = 0; i < drafts->links.count; i++) {
        const char *listed = drafts_listed_at(drafts, path, i);
        const struct sourced *other = listed ? find_listed(drafts, listed, package) : NULL;
        if (other && (!best || (other->package == package && best->package != package)))
            best = other;
    }
    return best;
}

static void put_directory(struct drafts *drafts, const char *path, const struct package *package, const char *why)
{
    const struct sourced *packaged = find_directory(drafts, path, package);
    const struct wish_made *made = drafts_skeleton_directory(drafts, path);
    struct draft draft = {.node = {.path = path, .kind = NODE_DIRECTORY, .mode = 0755}};
    if (made)
        draft.node = skeleton_node(made);
    draft.node.why = why;
    bool is_sticky = draft.node.mode & S_ISVTX; /* dpkg leaves /tmp as it is, whatever a package lists */
    if (packaged && !is_sticky) {
        draft = draft_of(packaged, why);
        draft.node.path = path;
    }
    drafts_put(drafts, &draft);
}

const struct draft *drafts_obstacle(const struct drafts *drafts, const char *path)
{
    for (;;) {
        path = path_dirname(drafts->arena, path);
        if (strcmp(path, "/") == 0)
            return NULL;
        const struct draft *parent = drafts_find(drafts, path);
        if (parent && parent->node.kind != NODE_DIRECTORY)
            return parent;
    }
}

static bool refuse_below(struct drafts *drafts, const struct draft *child, const struct draft *parent, struct err *err)
{
    const char *giver = draft_giver(drafts->arena, parent), *kind = draft_kind_name(parent->node.kind);
    if (child->made)
        return made_fail(drafts, child->made, err, "%s lies below %s, which is a %s of %s", child->node.path,
                         parent->node.path, kind, giver);
    err_set(err, ERR_RESOLVE, "%s of %s lies below %s, which is a %s of %s", child->node.path,
            draft_giver(drafts->arena, child), parent->node.path, kind, giver);
    return false;
}

bool drafts_add_parents(struct drafts *drafts, const struct draft *child, struct err *err)
{
    const char *path = child->node.path;
    for (;;) {
        path = path_dirname(drafts->arena, path);
        if (strcmp(path, "/") == 0)
            return true;
        const struct draft *parent = drafts_find(drafts, path);
        if (parent && parent->node.kind != NODE_DIRECTORY)
            return refuse_below(drafts, child, parent, err);
        if (!parent)
            put_directory(drafts, path, child->node.package,
                          arena_printf(drafts->arena, "parent of %s", child->node.path));
    }
}
