/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/tree_data.h"

#include "base/map.h"
#include "package/path.h"
#include "plan/start_scripts.h"
#include "source/format.h"

#include <inttypes.h>
#include <stdlib.h>

#define ID_BYTES 16 /* of the digest: enough for a name that nobody has to type */

struct moving {
    struct arena *arena;
    const struct data_request *request;
    const struct volumes *volumes;
    const char *manifest_path;
    struct tree *tree;
    const struct tree *layer; /* has the notes */
    struct map by_path;       /* nodes of the tree as it was */
    LIST(struct node) nodes;  /* as it becomes */
    struct map made;          /* paths of those */
    const char *id;
    struct strings *lists;         /* lines of each volume */
    struct strings *configuration; /* of each volume's configuration */
};

/* The volume that a path lives in, and which of its paths it is or is below; NULL: in none. */
static const struct volume *volume_of(const struct moving *moving, const char *path, const char **ret_top)
{
    for (size_t i = 0; i < moving->volumes->list.count; i++) {
        const struct volume *volume = &moving->volumes->list.items[i];
        for (size_t j = 0; j < volume->paths.count; j++) {
            *ret_top = volume->paths.items[j].path;
            if (strcmp(path, *ret_top) == 0 || path_is_below(path, *ret_top))
                return volume;
        }
    }
    return NULL;
}

static const char *in_template(const struct moving *moving, const struct volume *volume, const char *path)
{
    return arena_printf(moving->arena, "%s-template%s", volume->path, path);
}

static void put(struct moving *moving, struct node node)
{
    if (map_add(&moving->made, text_of(node.path), moving))
        list_add(moving->arena, &moving->nodes, node);
}

static struct node make_node(const struct moving *moving, const char *path, enum node_kind kind, uint32_t mode)
{
    return (struct node){.path = path,
                         .kind = kind,
                         .mode = mode,
                         .mtime = moving->tree->created_time,
                         .claim = CLAIM_OWN,
                         .why = "data of the manifest"};
}

static void put_file(struct moving *moving, const char *path, const char *text)
{
    struct node node = make_node(moving, path, NODE_FILE, 0644);
    node.data = text;
    node.size_bytes = strlen(text);
    put(moving, node);
}

static const struct node *node_of(const struct moving *moving, const char *path)
{
    return map_get(&moving->by_path, text_of(path));
}

/* Which rule its package manager has for a file that somebody may have changed. */
static enum configuration rule_of(const struct moving *moving, const struct node *node)
{
    const struct format *format = moving->request->format;
    const struct entry given = {.path = node->path, .kind = ENTRY_FILE};
    if (node->is_given && node->kind == NODE_FILE && format && format->configuration)
        return format->configuration(&given);
    const struct entry *entry = node->package ? package_find(node->package, node->path) : NULL;
    if (node->kind != NODE_FILE || !entry || !node->package->format->configuration)
        return CONFIGURATION_NONE;
    return node->package->format->configuration(entry);
}

static const char *rule_word(enum configuration rule)
{
    static const char *const words[] = {[CONFIGURATION_NONE] = "file",
                                        [CONFIGURATION_CONFFILE] = "conffile",
                                        [CONFIGURATION_NOREPLACE] = "noreplace",
                                        [CONFIGURATION_REPLACED] = "config",
                                        [CONFIGURATION_MISSING_NOREPLACE] = "missing-noreplace",
                                        [CONFIGURATION_MISSING_REPLACED] = "missing-config"};
    return words[rule];
}

static size_t number_of(const struct moving *moving, const struct volume *volume)
{
    return (size_t)(volume - moving->volumes->list.items);
}

/* Adds a line of what the template holds. */
static void list_node(struct moving *moving, const struct volume *volume, const struct node *node, const char *path,
                      enum configuration rule)
{
    size_t number = number_of(moving, volume);
    const char *kind = node->kind == NODE_DIRECTORY ? "directory"
                       : node->kind == NODE_SYMLINK ? "link"
                                                    : rule_word(rule);
    list_add(moving->arena, &moving->lists[number],
             arena_printf(moving->arena, "%s\t%o\t%u\t%u\t%s\n", kind, node->mode, node->uid, node->gid, path + 1));
}

/* The directories above a path of the template, as they are in the image. */
static void put_parents(struct moving *moving, const struct volume *volume, const char *path)
{
    const char *parent = path_dirname(moving->arena, path);
    const char *there =
        strcmp(parent, "/") == 0 ? in_template(moving, volume, "") : in_template(moving, volume, parent);
    if (map_get(&moving->made, text_of(there)))
        return;
    if (strcmp(parent, "/") != 0)
        put_parents(moving, volume, parent);
    const struct node *as = node_of(moving, parent);
    struct node node = as ? *as : make_node(moving, parent, NODE_DIRECTORY, 0755);
    node.path = there;
    node.package = NULL;
    node.is_given = false;
    node.why = "above data of the manifest";
    put(moving, node);
    if (strcmp(parent, "/") != 0)
        list_node(moving, volume, &node, parent, CONFIGURATION_NONE);
}

/* A link leads where it led, from its new place: a relative one that leaves what moves with it becomes absolute. */
static const char *new_target(const struct moving *moving, const struct node *node, const char *top)
{
    const char *folder = path_dirname(moving->arena, node->path);
    struct strings parts = {0};
    struct text rest = text_of(arena_printf(moving->arena, "%s/%s", folder, node->target)), part;
    if (node->target[0] == '/')
        return node->target;
    while (rest.len && text_next(&rest, '/', &part)) {
        if (text_is(part, "..") && parts.count)
            parts.count--;
        else if (part.len && !text_is(part, ".") && !text_is(part, ".."))
            list_add(moving->arena, &parts, text_dup(moving->arena, part));
    }
    const char *whole = arena_printf(moving->arena, "/%s", strings_join(moving->arena, &parts, "/"));
    return path_is_below(whole, top) ? node->target : whole;
}

/* A hard link's target moves with it, or it becomes a copy. */
static void settle_hard_link(const struct moving *moving, const char *top, struct node *node)
{
    const char *target_top = NULL;
    const struct node *target = node_of(moving, node->target);
    const struct volume *there = volume_of(moving, node->target, &target_top);
    if (!there)
        target_top = NULL;
    if (target_top == top) {
        node->target = top ? in_template(moving, there, node->target) : node->target;
        return;
    }
    if (!target)
        return;
    node->kind = NODE_FILE;
    node->data = target->data;
    node->size_bytes = target->size_bytes;
    node->digest = target->digest;
    node->capability = target->capability;
    node->target = NULL;
}

static bool check_name(const struct moving *moving, const struct node *node, struct err *err)
{
    const char *name = strrchr(node->path, '/') + 1;
    bool is_bad = strpbrk(node->path, "\t\n") || strncmp(name, ".wh.", 4) == 0;
    if (is_bad)
        err_set(err, ERR_USAGE, "%s: a path of 'data' holds a name that the start program could not read: %s",
                moving->manifest_path, text_printable(moving->arena, text_of(node->path)));
    return !is_bad;
}

/* Moves a node into the template; configuration and links are there twice. */
static bool move_node(struct moving *moving, const struct volume *volume, const char *top, const struct node *node,
                      struct err *err)
{
    struct node moved = *node;
    enum configuration rule = rule_of(moving, node);
    if (!check_name(moving, node, err))
        return false;
    put_parents(moving, volume, node->path);
    if (moved.kind == NODE_SYMLINK)
        moved.target = new_target(moving, node, top);
    if (moved.kind == NODE_HARDLINK)
        settle_hard_link(moving, top, &moved);
    moved.path = in_template(moving, volume, node->path);
    moved.is_given = false;
    put(moving, moved);
    list_node(moving, volume, &moved, node->path, rule);
    if (rule == CONFIGURATION_NONE && moved.kind != NODE_SYMLINK)
        return true;
    if (rule != CONFIGURATION_NONE)
        list_add(moving->arena, &moving->configuration[number_of(moving, volume)],
                 arena_printf(moving->arena, "%s\t%s\n", rule_word(rule), node->path + 1));
    const char *pristine = arena_printf(moving->arena, "/.pristine-%s%s", moving->id, node->path);
    moved.path = in_template(moving, volume, pristine);
    for (const char *slash = strchr(pristine + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_strndup(moving->arena, pristine, (size_t)(slash - pristine));
        put(moving, make_node(moving, in_template(moving, volume, folder), NODE_DIRECTORY, 0700));
    }
    put(moving, moved);
    return true;
}

/* Refuses a path below a link: what is meant lies elsewhere. */
static bool check_path(const struct moving *moving, const char *path, struct err *err)
{
    for (const char *parent = path_dirname(moving->arena, path); strcmp(parent, "/") != 0;
         parent = path_dirname(moving->arena, parent)) {
        const struct node *node = node_of(moving, parent);
        if (!node || node->kind == NODE_DIRECTORY)
            continue;
        err_set(err, ERR_USAGE, "%s: 'data' has %s, but %s is %s in the image%s%s", moving->manifest_path, path, parent,
                node->kind == NODE_SYMLINK ? "a link" : "no directory", node->kind == NODE_SYMLINK ? " to " : "",
                node->kind == NODE_SYMLINK ? node->target : "");
        return false;
    }
    return true;
}

/* The link in the place of a path, and what the image has of that path when no package gave anything. */
static bool place_link(struct moving *moving, const struct volume *volume, const struct volume_path *path,
                       struct err *err)
{
    struct node link = make_node(moving, path->path, NODE_SYMLINK, 0777);
    const char *there = in_template(moving, volume, path->path);
    if (!check_path(moving, path->path, err))
        return false;
    link.target = arena_printf(moving->arena, "%s%s", volume->path, path->path);
    for (const char *parent = path_dirname(moving->arena, path->path); strcmp(parent, "/") != 0;
         parent = path_dirname(moving->arena, parent))
        put(moving, make_node(moving, parent, NODE_DIRECTORY, 0755));
    put(moving, link);
    if (map_get(&moving->made, text_of(there)))
        return true;
    put_parents(moving, volume, path->path);
    if (!path->is_directory)
        return true;
    struct node node = make_node(moving, there, NODE_DIRECTORY, 0755);
    put(moving, node);
    list_node(moving, volume, &node, path->path, CONFIGURATION_NONE);
    return true;
}

/* The digest of all that the image is, so that the same inputs are the same build. */
static const char *find_id(const struct moving *moving)
{
    struct digest_stream stream;
    digest_begin(&stream);
    for (size_t i = 0; i < moving->tree->count; i++) {
        const struct node *node = &moving->tree->nodes[i];
        const char *head = arena_printf(moving->arena, "%d %o %u %u %" PRIu64 " %s", (int)node->kind, node->mode,
                                        node->uid, node->gid, node->size_bytes, node->path);
        digest_feed(&stream, head, strlen(head) + 1);
        if (node->target)
            digest_feed(&stream, node->target, strlen(node->target) + 1);
        if (node->digest)
            digest_feed(&stream, node->digest->bytes, sizeof node->digest->bytes);
        else if (node->kind == NODE_FILE)
            digest_feed(&stream, node->data, (size_t)node->size_bytes);
    }
    struct digest digest = digest_end(&stream);
    char *id = arena_strdup(moving->arena, digest_hex(&digest).chars);
    id[ID_BYTES * 2] = '\0';
    return id;
}

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

/* All nodes in their new places, and what the volumes want besides. */
static bool move_all(struct moving *moving, struct err *err)
{
    const struct volumes *volumes = moving->volumes;
    const char *top = NULL;
    for (size_t i = 0; i < moving->tree->count; i++) {
        struct node node = moving->tree->nodes[i];
        const struct volume *volume = volume_of(moving, node.path, &top);
        if (volume && !move_node(moving, volume, top, &node, err))
            return false;
        if (!volume && node.kind == NODE_HARDLINK)
            settle_hard_link(moving, NULL, &node);
        if (!volume)
            put(moving, node);
    }
    for (size_t i = 0; i < volumes->list.count; i++) {
        const struct volume *volume = &volumes->list.items[i];
        for (size_t j = 0; j < volume->paths.count; j++) {
            if (!place_link(moving, volume, &volume->paths.items[j], err))
                return false;
        }
    }
    return true;
}

/* "NAME VERSION" of the packages that gave files; and, of those whose scripts would have done what nobody did, with the note. */
static void put_packages(struct moving *moving)
{
    struct strings versions = {0}, notes = {0};
    const struct tree *tree = moving->layer;
    const char *pristine = arena_printf(moving->arena, "/.pristine-%s/.packages", moving->id);
    for (size_t i = 0; i < tree->package_count; i++) {
        const struct package *package = tree->packages[i];
        const char *head = arena_printf(moving->arena, "package %s: ", package->name);
        list_add(moving->arena, &versions, arena_printf(moving->arena, "%s %s\n", package->name, package->version));
        for (size_t j = 0; j < tree->notes.count; j++) {
            if (text_has_prefix(text_of(tree->notes.items[j]), head))
                list_add(moving->arena, &notes,
                         arena_printf(moving->arena, "%s %s\t%s\n", package->name, package->version,
                                      text_printable(moving->arena, text_of(tree->notes.items[j]))));
        }
    }
    put_file(moving, in_template(moving, &moving->volumes->list.items[0], pristine),
             strings_join(moving->arena, &versions, ""));
    put_file(moving, START_DIR "/scripts", strings_join(moving->arena, &notes, ""));
}

/* The directories below /run, of which a container has none when it is started: a list, and they once more, to be copied. */
static void put_run(struct moving *moving)
{
    static const char there[] = START_DIR "/run-template";
    struct strings lines = {0};
    put(moving, make_node(moving, there, NODE_DIRECTORY, 0755));
    for (size_t i = 0; i < moving->tree->count; i++) {
        struct node node = moving->tree->nodes[i];
        if (node.kind != NODE_DIRECTORY || !path_is_below(node.path, "/run") || strpbrk(node.path, "\t\n"))
            continue;
        list_add(moving->arena, &lines, arena_printf(moving->arena, "%s\n", node.path));
        node.path = arena_printf(moving->arena, "%s%s", there, node.path + strlen("/run"));
        node.package = NULL;
        node.is_given = false;
        put(moving, node);
    }
    put_file(moving, START_DIR "/run", strings_join(moving->arena, &lines, ""));
}

/* build-id, here and in the templates, what these hold, and where configuration as it was is. */
static void put_documents(struct moving *moving)
{
    const char *text = arena_printf(moving->arena, "%s %" PRId64 "\n", moving->id, moving->tree->created_time);
    put_file(moving, "/etc/build-id", text);
    put_run(moving);
    put_packages(moving);
    for (size_t i = 0; i < moving->volumes->list.count; i++) {
        const struct volume *volume = &moving->volumes->list.items[i];
        const char *pristine = arena_printf(moving->arena, "/.pristine-%s", moving->id);
        put_file(moving, in_template(moving, volume, "/build-id"), text);
        put(moving, make_node(moving, in_template(moving, volume, pristine), NODE_DIRECTORY, 0700));
        put_file(moving, arena_printf(moving->arena, START_DIR "/data.%zu", i + 1),
                 strings_join(moving->arena, &moving->lists[i], ""));
        if (moving->configuration[i].count)
            put_file(moving, in_template(moving, volume, arena_printf(moving->arena, "%s/.configuration", pristine)),
                     strings_join(moving->arena, &moving->configuration[i], ""));
    }
}

/* Makes a tree of nodes, sorted. */
static void settle_tree(struct tree *tree, struct node *nodes, size_t count)
{
    tree->nodes = nodes;
    tree->count = count;
    tree->file_count = 0;
    tree->unpacked_bytes = 0;
    if (count)
        qsort(nodes, count, sizeof *nodes, compare_nodes);
    for (size_t i = 0; i < tree->count; i++) {
        tree->file_count += tree->nodes[i].kind != NODE_DIRECTORY;
        tree->unpacked_bytes += tree->nodes[i].kind == NODE_FILE ? tree->nodes[i].size_bytes : 0;
    }
}

/* What is not the base's is the layer, with the directories above it as the base has them, and what the layer removes elsewhere. */
static void make_layer(struct moving *moving, struct tree *layer)
{
    const char *top;
    LIST(struct node) nodes = {0};
    struct map is_in = {.arena = moving->arena}, by_path = {.arena = moving->arena};
    for (size_t i = 0; i < moving->nodes.count; i++)
        map_set(&by_path, text_of(moving->nodes.items[i].path), &moving->nodes.items[i]);
    for (size_t i = 0; i < moving->nodes.count; i++) {
        const struct node *node = &moving->nodes.items[i];
        while (node && !(node == &moving->nodes.items[i] && node->is_given) &&
               map_add(&is_in, text_of(node->path), moving)) {
            list_add(moving->arena, &nodes, *node);
            nodes.items[nodes.count - 1].is_given = false;
            node = map_get(&by_path, text_of(path_dirname(moving->arena, node->path)));
        }
    }
    for (size_t i = 0; i < layer->count; i++) {
        if (layer->nodes[i].is_whiteout && !volume_of(moving, layer->nodes[i].path, &top))
            list_add(moving->arena, &nodes, layer->nodes[i]);
    }
    settle_tree(layer, nodes.items, nodes.count);
}

/* What the start program finds in a volume is what it put there, and no image has two of these. */
static bool check_places(const struct moving *moving, struct err *err)
{
    const struct tree *tree = moving->tree;
    for (size_t i = 0; i < tree->count; i++) {
        const struct node *node = &tree->nodes[i];
        bool is_ours = strcmp(node->path, "/etc/build-id") == 0;
        for (size_t j = 0; j < moving->volumes->list.count && !is_ours; j++) {
            const char *volume = moving->volumes->list.items[j].path;
            size_t len = strlen(volume);
            is_ours = path_is_below(node->path, volume) ||
                      (strcmp(node->path, volume) == 0 && node->kind != NODE_DIRECTORY) ||
                      (strncmp(node->path, volume, len) == 0 && strcmp(node->path + len, "-template") == 0);
        }
        if (!is_ours)
            continue;
        err_set(err, ERR_USAGE, "%s: 'data' wants %s for itself, but %s it%s", moving->manifest_path, node->path,
                node->is_given ? "the base has" : "the image has",
                node->is_given ? "; an image with 'data' is no base of another one with 'data'" : "");
        return false;
    }
    return true;
}

bool tree_move_data(struct arena *arena, const struct data_request *request, struct tree *root, struct tree *layer,
                    struct err *err)
{
    const struct volumes *volumes = request->volumes;
    struct moving moving = {.arena = arena,
                            .request = request,
                            .volumes = volumes,
                            .manifest_path = request->path,
                            .tree = root,
                            .layer = layer,
                            .by_path = {.arena = arena},
                            .made = {.arena = arena}};
    moving.lists = arena_new_array(arena, struct strings, volumes->list.count);
    moving.configuration = arena_new_array(arena, struct strings, volumes->list.count);
    for (size_t i = 0; i < root->count; i++)
        map_set(&moving.by_path, text_of(root->nodes[i].path), &root->nodes[i]);
    moving.id = find_id(&moving);
    if (!check_places(&moving, err) || !move_all(&moving, err))
        return false;
    put_documents(&moving);
    if (request->has_base)
        make_layer(&moving, layer);
    else
        settle_tree(layer, moving.nodes.items, moving.nodes.count);
    settle_tree(root, moving.nodes.items, moving.nodes.count);
    return true;
}
