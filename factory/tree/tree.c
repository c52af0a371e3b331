/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/tree.h"

#include "tree/tree_draft.h"

#include <stdlib.h>

static bool is_same_file(const struct sourced *a, const struct sourced *b)
{
    const struct entry *left = sourced_content(a), *right = sourced_content(b);
    if (left && right)
        return digest_eq(&left->digest, &right->digest);
    if (a->entry->kind != b->entry->kind)
        return false;
    return a->entry->kind == ENTRY_DIRECTORY ||
           (a->entry->kind == ENTRY_SYMLINK && strcmp(a->entry->target, b->entry->target) == 0);
}

static bool check_conflict(const struct sourced *file, struct err *err)
{
    for (const struct sourced *other = file->shadowed; other; other = other->shadowed) {
        if (is_same_file(file, other) || package_replaces(file->package, other->package))
            continue;
        err_set(err, ERR_RESOLVE,
                "%s: packages %s %s and %s %s both have it and differ, and neither replaces the other",
                file->entry->path, file->package->name, file->package->version, other->package->name,
                other->package->version);
        return false;
    }
    return true;
}

/* A file that a package lists below a directory which another package has as a link ("/usr/sbin -> bin") is there under
 * the listed name too. */
static void put_link_through(struct drafts *drafts, const struct kept *kept)
{
    const struct sourced *link = kept->file->through;
    if (!link || drafts->request->ground || drafts_find(drafts, link->entry->path))
        return; /* a base has its links */
    struct draft draft = draft_of(link, arena_printf(drafts->arena, "link on the way to %s", kept->file->entry->path));
    drafts_put(drafts, &draft);
}

static void put_kept(struct drafts *drafts, const struct kept *kept, const char *path)
{
    struct draft draft = draft_of(kept->file, kept->why);
    draft.node.path = path;
    draft.node.by = kept->by;
    drafts_put(drafts, &draft);
    put_link_through(drafts, kept);
}

/* A file that is listed through a link of the skeleton, which must not be another one than is listed where it gets. */
static bool put_placed(struct drafts *drafts, const struct kept *kept, const char *path, struct err *err)
{
    const struct draft *there = drafts_find(drafts, path);
    if (!there) {
        put_kept(drafts, kept, path);
        return true;
    }
    if (is_same_file(there->file, kept->file))
        return true;
    err_set(err, ERR_RESOLVE, "%s of package %s is %s in the image, where package %s has another %s",
            kept->file->entry->path, kept->file->package->name, path, there->file->package->name,
            draft_kind_name(there->node.kind));
    return false;
}

/* Puts the kept files whose place is where they are listed, or those that get elsewhere. */
static bool put_all(struct drafts *drafts, bool is_placed, struct err *err)
{
    const struct keep *keep = drafts->request->keep;
    for (size_t i = 0; i < keep->count; i++) {
        const struct kept *kept = &keep->items[i];
        const char *listed = kept->file->entry->path, *path = drafts_place(drafts, listed);
        bool is_link = kept->file->entry->kind == ENTRY_DIRECTORY && drafts_link_end(drafts, listed);
        if (strcmp(listed, "/") == 0 || is_link || (path != listed) != is_placed)
            continue;
        if (!check_conflict(kept->file, err) || (is_placed && !put_placed(drafts, kept, path, err)))
            return false;
        if (!is_placed)
            put_kept(drafts, kept, path);
    }
    return true;
}

/* All kept files first and their parents then, so that the order of the paths makes no difference. */
static bool add_kept(struct drafts *drafts, struct err *err)
{
    const struct keep *keep = drafts->request->keep;
    if (!put_all(drafts, false, err) || !put_all(drafts, true, err))
        return false;
    for (size_t i = 0; i < keep->count; i++) {
        const struct draft *draft = drafts_find(drafts, drafts_place(drafts, keep->items[i].file->entry->path));
        if (draft && !drafts_add_parents(drafts, draft, err))
            return false;
    }
    return true;
}

/* The link "/sbin" leads to /usr/sbin, or to where /usr/sbin itself leads as the packages have it (Fedora since 42:
 * usr/bin). */
static bool add_root_link(struct drafts *drafts, const char *name, struct err *err)
{
    const char *merged = fileset_merged(drafts->request->set, arena_printf(drafts->arena, "/usr/%s", name));
    struct node link = {.path = arena_printf(drafts->arena, "/%s", name),
                        .kind = NODE_SYMLINK,
                        .mode = 0777,
                        .target = merged + 1,
                        .claim = CLAIM_WEAK,
                        .why = "link of the merged /usr"};
    if (!drafts_add(drafts, &link, NULL, err))
        return false;
    const struct draft below = {.node = {.path = arena_printf(drafts->arena, "%s/.", merged)}};
    return drafts_add_parents(drafts, &below, err);
}

/* The links of the merged /usr, always with the directory that they lead to: the architecture's, and those whose
 * directory is there (Fedora has lib64 on 64-bit machines where Debian has not). */
static bool add_root_links(struct drafts *drafts, struct err *err)
{
    static const char *const optional[] = {"lib32", "lib64", "libx32", "libo32"};
    const struct strings *names = &drafts->request->arch->root_links;
    for (size_t i = 0; i < names->count; i++) {
        if (!add_root_link(drafts, names->items[i], err))
            return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(optional); i++) {
        const struct draft *there = drafts_find(drafts, arena_printf(drafts->arena, "/usr/%s", optional[i]));
        if (!strings_has(names, optional[i]) && there && there->node.kind == NODE_DIRECTORY &&
            !add_root_link(drafts, optional[i], err))
            return false;
    }
    return true;
}

/* What of the skeleton is not there yet and has room. */
static bool add_missing(struct drafts *drafts, struct node node, struct err *err)
{
    node.why = "skeleton";
    return drafts_find(drafts, node.path) || drafts_obstacle(drafts, node.path) || drafts_add(drafts, &node, NULL, err);
}

static bool add_skeleton(struct drafts *drafts, struct err *err)
{
    const struct wishes *skeleton = &drafts->request->set->family->skeleton;
    for (size_t i = 0; i < skeleton->made.count; i++) {
        const struct wish_made *made = &skeleton->made.items[i];
        if ((made->kind == MADE_DIRECTORY || drafts_link_end(drafts, made->path)) &&
            !add_missing(drafts, skeleton_node(made), err))
            return false;
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const struct package *left = *(const struct package *const *)a, *right = *(const struct package *const *)b;
    return strcmp(left->name, right->name);
}

/* Collects the packages that gave files, and those that were asked for as a whole: their list and its newest time. */
static void collect_packages(const struct drafts *drafts, struct tree *tree)
{
    const struct fileset *set = drafts->request->set;
    struct map gave = {.arena = drafts->arena};
    for (size_t i = 0; i < drafts->by_path.slots.count; i++) {
        const struct draft *draft = drafts->by_path.slots.items[i].value;
        if (draft->node.package && draft->node.kind != NODE_DIRECTORY)
            map_set(&gave, text_of(draft->node.package->name), (void *)draft->node.package);
    }
    for (size_t i = 0; i < set->package_count; i++) {
        if (wishes_package(drafts->request->wishes, set->packages[i]->name))
            map_set(&gave, text_of(set->packages[i]->name), (void *)set->packages[i]);
    }
    tree->package_count = gave.slots.count;
    tree->packages = arena_new_array(drafts->arena, const struct package *, gave.slots.count);
    for (size_t i = 0; i < gave.slots.count; i++) {
        tree->packages[i] = gave.slots.items[i].value;
        if (tree->packages[i]->build_time > tree->created_time)
            tree->created_time = tree->packages[i]->build_time;
    }
    if (tree->package_count)
        qsort(tree->packages, tree->package_count, sizeof(tree->packages[0]), compare_names);
    if (drafts->request->created_override >= 0)
        tree->created_time = drafts->request->created_override;
}

static int compare_nodes(const void *a, const void *b)
{
    const struct draft *left = *(const struct draft *const *)a, *right = *(const struct draft *const *)b;
    return strcmp(left->node.path, right->node.path);
}

/* Several kept names of one inode: the first by path is the file, the others are hard links to it, so that whoever
 * unpacks in order has the target first. `named` maps the place of the bytes' entry to the path of the file. */
static void link_names(struct node *node, const struct entry *content, struct map *named)
{
    const struct entry **key = arena_new(named->arena, const struct entry *);
    *key = content;
    struct text key_bytes = {(const char *)key, sizeof(*key)};
    const char *first = map_get(named, key_bytes);
    if (!first) {
        map_set(named, key_bytes, (void *)node->path);
        return;
    }
    node->kind = NODE_HARDLINK;
    node->target = first;
    node->size_bytes = 0;
    node->data = NULL;
    node->digest = NULL;
}

/* What two files of a package have in common that may be one inode. */
struct twin {
    struct digest digest;
    const struct package *package;
    uint32_t mode, uid, gid;
    int64_t mtime;
};

/* Returns the content whose inode a node may share: of a program that a package ships twice (git's, once for users and once
 * below /usr/lib/git-core), as it does where whoever builds it cannot link, the first one. Only programs, which nobody writes
 * to, and only in images that take directories because a program names them. */
static const struct entry *shared_content(const struct drafts *drafts, const struct draft *draft,
                                          const struct node *node, struct map *twins)
{
    struct twin *twin = arena_new(drafts->arena, struct twin);
    const struct entry *content = draft->content, *first;
    if (!drafts->request->manifest->automatic[AUTOMATIC_PLUGINS] || !content->elf || !content->elf->interp ||
        node->capability.len || !node->digest)
        return content;
    memset(twin, 0, sizeof *twin);
    twin->digest = *node->digest;
    twin->package = node->package;
    twin->mode = node->mode;
    twin->uid = node->uid;
    twin->gid = node->gid;
    twin->mtime = node->mtime;
    struct text key = {(const char *)twin, sizeof *twin};
    first = map_get(twins, key);
    if (!first)
        map_set(twins, key, (void *)content);
    return first ? first : content;
}

static int64_t clamp_time(int64_t time, int64_t created)
{
    if (time > created)
        time = created;
    return time > 0 ? time : 0;
}

static void freeze(const struct drafts *drafts, struct tree *tree)
{
    size_t count = drafts->by_path.slots.count;
    const struct draft **sorted = arena_new_array(drafts->arena, const struct draft *, count);
    struct map named = {.arena = drafts->arena}, twins = {.arena = drafts->arena};
    for (size_t i = 0; i < count; i++)
        sorted[i] = drafts->by_path.slots.items[i].value;
    if (count)
        qsort(sorted, count, sizeof(sorted[0]), compare_nodes);
    tree->nodes = arena_new_array(drafts->arena, struct node, count);
    tree->count = count;
    for (size_t i = 0; i < count; i++) {
        struct node *node = &tree->nodes[i];
        *node = sorted[i]->node;
        node->mtime = sorted[i]->file ? clamp_time(node->mtime, tree->created_time) : tree->created_time;
        if (sorted[i]->content)
            link_names(node, shared_content(drafts, sorted[i], node, &twins), &named);
        tree->file_count += node->kind != NODE_DIRECTORY;
        tree->unpacked_bytes += node->kind == NODE_FILE ? node->size_bytes : 0;
    }
}

/* Accounts, what tmpfiles.d makes, and the owners that both know. */
static bool add_declared(struct drafts *drafts, const struct tree *tree, struct err *err)
{
    if (!drafts_collect_accounts(drafts, tree, err))
        return false;
    drafts_add_automatic_accounts(drafts);
    drafts_want_run_user(drafts);
    drafts_change_owners(drafts);
    if (!drafts_add_tmpfiles(drafts, tree, err))
        return false;
    drafts_number_owners(drafts);
    return drafts->request->ground ? drafts_continue_users(drafts, tree, err) : drafts_add_users(drafts, err);
}

bool tree_build(struct arena *arena, const struct tree_request *request, struct tree *ret_tree, struct err *err)
{
    struct drafts drafts = {.arena = arena, .request = request, .by_path = {.arena = arena}};
    struct tree tree = {0};
    if (!request->ground)
        drafts_plan_skeleton(&drafts);
    if (!add_kept(&drafts, err) || !add_root_links(&drafts, err) || !drafts_add_made(&drafts, err) ||
        (!request->ground && !add_skeleton(&drafts, err)))
        return false;
    collect_packages(&drafts, &tree);
    if (!add_declared(&drafts, &tree, err) || !drafts_add_cache(&drafts, err) || !drafts_add_os_release(&drafts, err) ||
        (!request->has_database && !drafts_add_database(&drafts, &tree, err)))
        return false;
    tree.notes = drafts.notes;
    tree.wants_all = drafts.wants_all;
    freeze(&drafts, &tree);
    *ret_tree = tree;
    return true;
}
