/* SPDX-License-Identifier: Apache-2.0 */
#include "ground/ground_package.h"
#include "package/path.h"
#include "tree/tree_draft.h"

static bool check_kind(struct drafts *drafts, const struct wish_made *made, const char *path, struct err *err)
{
    const struct draft *there = drafts_find(drafts, path);
    if (!there)
        return true;
    if (there->made)
        return made_fail(drafts, made, err, "%s is created twice (as %s and %s)", path, there->made->path, made->path);
    const char *giver = draft_giver(drafts->arena, there);
    bool is_directory = made->kind == MADE_DIRECTORY;
    if (is_directory && there->node.kind != NODE_DIRECTORY)
        return made_fail(drafts, made, err, "%s is to be a directory, but %s has something else there", path, giver);
    if (!is_directory && there->node.kind == NODE_DIRECTORY)
        return made_fail(drafts, made, err, "%s is to be a %s, but it is a directory of %s", path,
                         made->kind == MADE_FILE ? "file" : "symlink", giver);
    return true;
}

/* Something is in the way of what only wants to be there if it can, or will be: accounts are made from all who know some
 * (tree_users.c), whatever a script writes. */
static bool gives_way(const struct drafts *drafts, const struct wish_made *made, const char *path)
{
    if (strcmp(path, "/etc/passwd") == 0 || strcmp(path, "/etc/group") == 0)
        return true;
    const struct draft *there = drafts_find(drafts, path);
    bool is_directory = made->kind == MADE_DIRECTORY;
    bool is_other = there && (there->made || is_directory != (there->node.kind == NODE_DIRECTORY));
    return is_other || drafts_link_end(drafts, path) || drafts_obstacle(drafts, path);
}

/* Names whose numbers are known only when all accounts are stay names until then. */
static bool find_owners(const struct drafts *drafts, struct draft *draft, struct err *err)
{
    const struct wishes *wishes = drafts->request->wishes;
    const struct wish_made *made = draft->made;
    if (!wish_owner_number(wishes, made->owner, &draft->node.uid)) {
        if (!made->is_automatic && !wish_is_automatic(wishes, made->owner, true))
            return made_fail(drafts, made, err, "%s: owner \"%s\" is no user of the manifest and no number", made->path,
                             made->owner);
        draft->owner = made->owner;
    }
    if (!wish_group_number(wishes, made->group, &draft->node.gid)) {
        if (!made->is_automatic && !wish_is_automatic(wishes, made->group, false))
            return made_fail(drafts, made, err, "%s: group \"%s\" is no group of the manifest and no number",
                             made->path, made->group);
        draft->group = made->group;
    }
    return true;
}

/* The bytes of a packaged file under another name; false when no package that is open has it. */
static bool copy_file(const struct drafts *drafts, const struct wish_made *made, struct node *node)
{
    const struct sourced *file = fileset_walk(drafts->request->set, drafts->arena, made->source, NULL, NULL);
    const struct entry *content = file ? sourced_content(file) : NULL;
    if (!content)
        return false;
    node->kind = NODE_FILE;
    node->mode = made->keeps_mode ? content->mode & 0777 : made->mode;
    node->data = content->data;
    node->size_bytes = content->size_bytes;
    node->digest = &content->digest;
    node->package = strcmp(file->package->name, GROUND_PACKAGE_NAME) != 0 ? file->package : NULL;
    return true;
}

static bool add_made(struct drafts *drafts, const struct wish_made *made, struct err *err)
{
    const char *reason = NULL;
    const char *path = path_canonical(drafts->arena, text_of(made->path), &reason);
    if (!path || strcmp(path, "/") == 0)
        return made_fail(drafts, made, err, "path \"%s\": %s", made->path, path ? "the root itself" : reason);
    path = drafts_place(drafts, path);
    if (made->is_automatic && gives_way(drafts, made, path))
        return true;
    if (!check_kind(drafts, made, path, err))
        return false;
    struct draft draft = {.made = made};
    const char *why = made->why ? made->why : arena_printf(drafts->arena, "created by %s", wish_giver(made->giver));
    draft.node = (struct node){.path = path, .mode = made->mode, .why = why};
    draft.node.claim = made->giver || made->is_automatic ? CLAIM_WEAK : CLAIM_OWN;
    if (!find_owners(drafts, &draft, err))
        return false;
    switch (made->kind) {
    case MADE_DIRECTORY:
        draft.node.kind = NODE_DIRECTORY;
        break;
    case MADE_FILE:
        draft.node.kind = NODE_FILE;
        draft.node.data = wish_content(made).ptr;
        draft.node.size_bytes = wish_content(made).len;
        break;
    case MADE_SYMLINK:
        draft.node.kind = NODE_SYMLINK;
        draft.node.mode = 0777;
        draft.node.target = made->target;
        break;
    case MADE_COPY:
        if (!copy_file(drafts, made, &draft.node))
            return true;
        break;
    }
    return drafts_add_parents(drafts, drafts_put(drafts, &draft), err);
}

bool drafts_add_made(struct drafts *drafts, struct err *err)
{
    const struct wishes *wishes = drafts->request->wishes;
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (!add_made(drafts, &wishes->made.items[i], err))
            return false;
    }
    return true;
}
