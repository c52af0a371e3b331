/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/tree_stand.h"

#include "package/path.h"

#include <stdlib.h>

#define WHITEOUT ".wh."

/* A tree on its way onto a base. */
struct standing_tree {
    struct arena *arena;
    const struct stand_request *request;
    struct map placed; /* exact path → struct node * of the layer */
    struct map moved;  /* path in the tree → its exact path, where the layer has it */
};

enum verdict { LEFT_OUT, PUT, REFUSED };

static bool is_bytes(enum entry_kind kind)
{
    return kind == ENTRY_FILE || kind == ENTRY_HARDLINK;
}

static const struct entry *content_of(const struct ground *ground, const struct entry *entry)
{
    return entry->kind == ENTRY_HARDLINK ? ground_find(ground, entry->target) : entry;
}

static int compare_to_node(const void *path, const void *node)
{
    return strcmp(path, ((const struct node *)node)->path);
}

/* Returns the node of a file's bytes. */
static const struct node *file_of(const struct standing_tree *standing, const struct node *node)
{
    const struct tree *tree = standing->request->tree;
    if (node->kind != NODE_HARDLINK)
        return node;
    return bsearch(node->target, tree->nodes, tree->count, sizeof tree->nodes[0], compare_to_node);
}

static struct digest digest_of_file(const struct node *file)
{
    return file->digest ? *file->digest : digest_of(file->data, (size_t)file->size_bytes);
}

static bool has_same_rights(const struct node *node, const struct entry *there)
{
    return node->mode == there->mode && node->uid == there->uid && node->gid == there->gid;
}

/* Whether the node is of a package that is installed in the place of its former version. */
static bool is_upgraded(const struct standing_tree *standing, const struct node *node)
{
    const struct strings *replaced = standing->request->replaced;
    return node->claim == CLAIM_PACKAGED && node->package && replaced && strings_has(replaced, node->package->name);
}

/* Whether the package manager gives what is there the package's mode, owner and time. */
static bool sets_rights(const struct standing_tree *standing, const struct node *node)
{
    return standing->request->sets_rights && node->claim == CLAIM_PACKAGED && node->package;
}

/* Returns whether the base has the same thing, whatever its mode, owner and time. */
static bool has_same_content(const struct standing_tree *standing, const struct node *node, const struct entry *there)
{
    if (node->kind == NODE_DIRECTORY || there->kind == ENTRY_DIRECTORY)
        return node->kind == NODE_DIRECTORY && there->kind == ENTRY_DIRECTORY;
    if (node->kind == NODE_SYMLINK || there->kind == ENTRY_SYMLINK)
        return node->kind == NODE_SYMLINK && there->kind == ENTRY_SYMLINK && strcmp(node->target, there->target) == 0;
    const struct node *file = file_of(standing, node);
    const struct entry *content = content_of(standing->request->ground, there);
    if (!file || !content || ground_is_special(content) || file->size_bytes != content->size_bytes)
        return false;
    struct digest digest = digest_of_file(file);
    return digest_eq(&digest, &content->digest);
}

/* Returns whether what has the same content can stay as it is. A base's layers were not asked for capabilities, so a file
 * that has some, or had some, comes. */
static bool can_stay(const struct standing_tree *standing, const struct node *node, const struct entry *there)
{
    bool is_set = sets_rights(standing, node);
    if (there->kind == ENTRY_SYMLINK)
        return true;
    if (there->kind == ENTRY_DIRECTORY)
        return (node->claim != CLAIM_OWN && !is_set) || has_same_rights(node, there);
    const struct node *file = file_of(standing, node);
    const struct entry *content = content_of(standing->request->ground, there);
    if (is_set && (is_upgraded(standing, node) || file->capability.len || file->mtime != content->mtime))
        return false;
    return (node->claim != CLAIM_OWN && !is_set && !is_upgraded(standing, node)) || has_same_rights(file, content);
}

static const char *kind_of(const struct entry *entry)
{
    return entry->kind == ENTRY_DIRECTORY ? "directory" : entry->kind == ENTRY_SYMLINK ? "link" : "file";
}

static bool refuse(const struct standing_tree *standing, const struct node *node, const struct entry *there,
                   const char *owner, struct err *err)
{
    const char *owned = owner ? arena_printf(standing->arena, " of its package %s", owner) : "";
    if (node->package)
        err_set(err, ERR_RESOLVE, "%s of package %s: the base has another %s%s there", there->path, node->package->name,
                kind_of(there), owned);
    else if (node->claim == CLAIM_OWN && owner)
        err_set(err, ERR_RESOLVE,
                "%s: %s is a %s%s of the base, which changes only with that package; give the image another file",
                standing->request->manifest_path, there->path, kind_of(there), owned);
    else
        err_set(err, node->claim == CLAIM_OWN ? ERR_USAGE : ERR_RESOLVE, "%s: %s is a %s of the base, and cannot be %s",
                standing->request->manifest_path, there->path, kind_of(there),
                node->kind == NODE_DIRECTORY ? "a directory" : "a file or link");
    return false;
}

/* Names the package that has a path and stays as it is; *ret_is_freed: one that was upgraded had it. */
static const char *owner_of(const struct standing_tree *standing, const char *path, bool *ret_is_freed)
{
    const struct stand_request *request = standing->request;
    const char *owner = request->owner ? request->owner(request->owner_self, path) : NULL;
    *ret_is_freed = owner && request->replaced && strings_has(request->replaced, owner);
    return *ret_is_freed ? NULL : owner;
}

/* Judges a node where the base has something. */
static enum verdict judge(const struct standing_tree *standing, const struct node *node, const struct entry *there,
                          struct err *err)
{
    bool is_directory = node->kind == NODE_DIRECTORY, was_directory = there->kind == ENTRY_DIRECTORY;
    bool is_same = has_same_content(standing, node, there);
    if (node->claim == CLAIM_WEAK || (is_same && can_stay(standing, node, there)))
        return LEFT_OUT;
    if (was_directory && node->kind == NODE_SYMLINK && node->claim == CLAIM_PACKAGED && !sets_rights(standing, node))
        return LEFT_OUT;
    bool is_freed;
    const char *owner = owner_of(standing, there->path, &is_freed);
    if (is_same && owner && node->claim == CLAIM_PACKAGED &&
        has_same_rights(node, content_of(standing->request->ground, there)))
        return LEFT_OUT; /* two packages have the file: its time stays the first one's */
    bool is_settable = is_freed || is_upgraded(standing, node) || (is_same && sets_rights(standing, node));
    bool may_replace = node->claim == CLAIM_DATABASE ||
                       (!owner && (node->claim == CLAIM_OWN || (node->claim == CLAIM_PACKAGED && is_settable)));
    if (may_replace && is_directory == was_directory && !ground_is_special(there))
        return PUT;
    (void)refuse(standing, node, there, owner, err);
    return REFUSED;
}

static struct node *put(struct standing_tree *standing, const struct node *node, const char *path)
{
    struct node *copy = arena_new(standing->arena, struct node);
    *copy = *node;
    copy->path = path;
    map_set(&standing->placed, text_of(path), copy);
    return copy;
}

/* Two nodes that the base's links lead to one place have to be one. */
static bool put_once(struct standing_tree *standing, const struct node *node, const char *path, struct err *err)
{
    const struct node *there = map_get(&standing->placed, text_of(path));
    map_set(&standing->moved, text_of(node->path), (void *)path);
    if (!there) {
        (void)put(standing, node, path);
        return true;
    }
    const struct node *a = file_of(standing, there), *b = file_of(standing, node);
    bool are_files = there->kind != NODE_DIRECTORY && there->kind != NODE_SYMLINK && node->kind != NODE_DIRECTORY &&
                     node->kind != NODE_SYMLINK && a && b;
    bool is_one = node->kind == NODE_DIRECTORY && there->kind == NODE_DIRECTORY;
    if (node->kind == NODE_SYMLINK && there->kind == NODE_SYMLINK)
        is_one = strcmp(node->target, there->target) == 0;
    if (are_files) {
        struct digest left = digest_of_file(a), right = digest_of_file(b);
        is_one = digest_eq(&left, &right);
    }
    if (!is_one)
        err_set(err, ERR_RESOLVE, "%s is %s in the base, where the image has something else already", node->path, path);
    return is_one;
}

/* A place that a link of the base leads to, wherever that is, is inside of the base: ground_place() never leaves it. */
static bool place(struct standing_tree *standing, const struct node *node, struct err *err)
{
    const struct ground *ground = standing->request->ground;
    const char *path;
    const struct entry *there = node->kind == NODE_DIRECTORY && node->claim != CLAIM_WEAK
                                    ? ground_walk(ground, standing->arena, node->path, &path)
                                    : ground_place(ground, standing->arena, node->path, &path);
    if (!path) {
        err_set(err, ERR_RESOLVE, "%s: in the base a file, or links that lead nowhere, are in its way", node->path);
        return false;
    }
    enum verdict verdict = there ? judge(standing, node, there, err) : PUT;
    return verdict == LEFT_OUT || (verdict == PUT && put_once(standing, node, path, err));
}

/* A hard link needs its file in the same layer, at the place that that got; where that is another link (two names of the tree
 * are one in the base, maybe its own) it is a file. */
static void settle_links(struct standing_tree *standing)
{
    for (size_t i = 0; i < standing->placed.slots.count; i++) {
        struct node *node = standing->placed.slots.items[i].value;
        if (node->kind != NODE_HARDLINK)
            continue;
        const char *target = map_get(&standing->moved, text_of(node->target));
        const struct node *there = target ? map_get(&standing->placed, text_of(target)) : NULL;
        const struct node *file = file_of(standing, node);
        if (there && there->kind == NODE_FILE) {
            node->target = target;
        } else if (file) {
            const char *path = node->path;
            *node = *file;
            node->path = path;
        }
    }
}

static struct node given_node(const struct ground *ground, const struct entry *entry)
{
    static const enum node_kind kinds[] = {[ENTRY_DIRECTORY] = NODE_DIRECTORY,
                                           [ENTRY_FILE] = NODE_FILE,
                                           [ENTRY_SYMLINK] = NODE_SYMLINK,
                                           [ENTRY_HARDLINK] = NODE_FILE};
    const struct entry *content = content_of(ground, entry);
    struct node node = {.path = entry->path,
                        .kind = kinds[entry->kind],
                        .mode = entry->mode,
                        .uid = entry->uid,
                        .gid = entry->gid,
                        .mtime = entry->mtime,
                        .target = entry->kind == ENTRY_SYMLINK ? entry->target : NULL,
                        .why = "directory of the base",
                        .is_given = true};
    if (is_bytes(entry->kind) && content) {
        node.size_bytes = content->size_bytes;
        node.data = content->data;
        node.digest = &content->digest;
        node.elf = content->elf;
        node.interpreter = content->interpreter;
    }
    return node;
}

/* Adds the directories above what is in the layer, as the base has them. */
static void add_parents(struct standing_tree *standing)
{
    size_t count = standing->placed.slots.count;
    for (size_t i = 0; i < count; i++) {
        const char *path = ((const struct node *)standing->placed.slots.items[i].value)->path;
        for (;;) {
            path = path_dirname(standing->arena, path);
            if (strcmp(path, "/") == 0 || map_get(&standing->placed, text_of(path)))
                break;
            const struct entry *there = ground_find(standing->request->ground, path);
            struct node node = {.path = path, .kind = NODE_DIRECTORY, .mode = 0755, .why = "parent"};
            if (there)
                node = given_node(standing->request->ground, there);
            node.is_given = false;
            (void)put(standing, &node, path);
        }
    }
}

/* Adds whiteouts of what is to be removed and is not made anew. */
static void add_whiteouts(struct standing_tree *standing)
{
    const struct strings *removed = standing->request->removed;
    struct arena *arena = standing->arena;
    for (size_t i = 0; removed && i < removed->count; i++) {
        const char *path = removed->items[i], *dir = path_dirname(arena, path);
        if (!ground_find(standing->request->ground, path) || map_get(&standing->placed, text_of(path)))
            continue;
        const char *name =
            arena_printf(arena, "%s/" WHITEOUT "%s", strcmp(dir, "/") == 0 ? "" : dir, path_basename(path));
        struct node node = {.path = name,
                            .kind = NODE_FILE,
                            .mode = 0644,
                            .data = "",
                            .is_whiteout = true,
                            .why = "removes a file of the base"};
        (void)put(standing, &node, name);
    }
}

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static void make_layer(const struct standing_tree *standing, struct tree *layer)
{
    size_t count = standing->placed.slots.count;
    *layer = *standing->request->tree;
    layer->nodes = arena_new_array(standing->arena, struct node, count + 1);
    layer->count = count;
    layer->file_count = 0;
    layer->unpacked_bytes = 0;
    for (size_t i = 0; i < count; i++)
        layer->nodes[i] = *(const struct node *)standing->placed.slots.items[i].value;
    qsort(layer->nodes, count, sizeof layer->nodes[0], compare_nodes);
    for (size_t i = 0; i < count; i++) {
        layer->file_count += layer->nodes[i].kind != NODE_DIRECTORY;
        layer->unpacked_bytes += layer->nodes[i].kind == NODE_FILE ? layer->nodes[i].size_bytes : 0;
    }
}

/* Returns whether the base's entry is gone: removed by itself, or with a directory above. */
static bool is_gone(const struct map *removed, const char *path)
{
    struct text above = text_of(path);
    while (above.len > 1) {
        if (map_get(removed, above))
            return true;
        do
            above.len--;
        while (above.len && above.ptr[above.len] != '/');
    }
    return false;
}

/* The base's files that are left, and the layer's over them. */
static void make_root(const struct standing_tree *standing, const struct tree *layer, struct tree *root)
{
    const struct ground *ground = standing->request->ground;
    const struct strings *removed = standing->request->removed;
    struct map gone = {.arena = standing->arena};
    size_t count = 0;
    for (size_t i = 0; removed && i < removed->count; i++)
        (void)map_add(&gone, text_of(removed->items[i]), standing->arena);
    *root = *layer;
    root->nodes = arena_new_array(standing->arena, struct node, layer->count + ground->package->count + 1);
    for (size_t i = 0; i < ground->package->count; i++) {
        const struct entry *entry = &ground->package->entries[i];
        if (!map_get(&standing->placed, text_of(entry->path)) && !ground_is_special(entry) &&
            !(gone.slots.count && is_gone(&gone, entry->path)))
            root->nodes[count++] = given_node(ground, entry);
    }
    for (size_t i = 0; i < layer->count; i++) {
        if (!layer->nodes[i].is_whiteout)
            root->nodes[count++] = layer->nodes[i];
    }
    root->count = count;
    qsort(root->nodes, count, sizeof root->nodes[0], compare_nodes);
}

bool tree_stand(struct arena *arena, const struct stand_request *request, struct tree *ret_layer, struct tree *ret_root,
                struct err *err)
{
    struct standing_tree standing = {.arena = arena, .request = request, .placed.arena = arena, .moved.arena = arena};
    for (size_t i = 0; i < request->tree->count; i++) {
        if (!place(&standing, &request->tree->nodes[i], err))
            return false;
    }
    settle_links(&standing);
    add_whiteouts(&standing);
    add_parents(&standing);
    make_layer(&standing, ret_layer);
    make_root(&standing, ret_layer, ret_root);
    return true;
}
