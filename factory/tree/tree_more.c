/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are known only when all others are: a package database that was continued. */
#include "base/map.h"
#include "package/path.h"
#include "tree/tree.h"

#include <stdlib.h>

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

/* Adds the directories above a path that are not there. */
static void add_parents(struct arena *arena, struct map *paths, const struct node *file)
{
    const char *path = path_dirname(arena, file->path);
    while (strcmp(path, "/") != 0 && !map_get(paths, text_of(path))) {
        struct node *node = arena_new(arena, struct node);
        *node = (struct node){.path = path,
                              .kind = NODE_DIRECTORY,
                              .mode = 0755,
                              .mtime = file->mtime,
                              .claim = CLAIM_WEAK,
                              .why = file->why};
        map_set(paths, text_of(path), node);
        path = path_dirname(arena, path);
    }
}

void tree_add_files(struct arena *arena, struct tree *tree, const struct node *files, size_t count)
{
    struct map paths = {.arena = arena};
    for (size_t i = 0; i < tree->count; i++)
        map_set(&paths, text_of(tree->nodes[i].path), &tree->nodes[i]);
    for (size_t i = 0; i < count; i++) {
        map_set(&paths, text_of(files[i].path), (void *)&files[i]);
        add_parents(arena, &paths, &files[i]);
    }
    struct node *nodes = arena_new_array(arena, struct node, paths.slots.count + 1);
    tree->count = paths.slots.count;
    tree->file_count = 0;
    tree->unpacked_bytes = 0;
    for (size_t i = 0; i < tree->count; i++) {
        nodes[i] = *(const struct node *)paths.slots.items[i].value;
        tree->file_count += nodes[i].kind != NODE_DIRECTORY;
        tree->unpacked_bytes += nodes[i].kind == NODE_FILE ? nodes[i].size_bytes : 0;
    }
    if (tree->count)
        qsort(nodes, tree->count, sizeof *nodes, compare_nodes);
    tree->nodes = nodes;
}
