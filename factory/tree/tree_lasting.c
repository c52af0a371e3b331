/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a tree when the memory it was made in is gone. */
#include "tree/tree.h"

/* Copies what is not in an opened package. */
static struct node lasting_node(struct arena *arena, const struct node *node)
{
    struct node lasting = *node;
    lasting.path = arena_strdup(arena, node->path);
    lasting.target = arena_strdup(arena, node->target);
    lasting.why = NULL;
    lasting.by = NULL;
    if (node->capability.len)
        lasting.capability.ptr = arena_strndup(arena, node->capability.ptr, node->capability.len);
    if (node->digest) {
        struct digest *digest = arena_new(arena, struct digest);
        *digest = *node->digest;
        lasting.digest = digest;
    } else if (node->data) {
        lasting.data = arena_strndup(arena, node->data, (size_t)node->size_bytes);
    }
    return lasting;
}

void tree_copy_lasting(struct arena *arena, const struct tree *tree, struct tree *ret_tree)
{
    struct tree lasting = *tree;
    lasting.nodes = arena_new_array(arena, struct node, tree->count);
    for (size_t i = 0; i < tree->count; i++)
        lasting.nodes[i] = lasting_node(arena, &tree->nodes[i]);
    lasting.packages = arena_new_array(arena, const struct package *, tree->package_count);
    for (size_t i = 0; i < tree->package_count; i++)
        lasting.packages[i] = tree->packages[i];
    lasting.notes = (struct strings){0};
    *ret_tree = lasting;
}
