/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/layer_cut.h"

#include <stdlib.h>

/* What lies over the plan's sources, whose numbers are those of the plan's lines. */
enum { PIECE_REST, PIECE_TOP, PIECES_BESIDE };

struct cutting {
    struct arena *arena;
    const struct layer_cut_request *request;
    struct layer_index lines;
    struct map paths;   /* numbers of nodes, by their paths */
    size_t *pieces;     /* by node: the number of its piece; directories: PIECE_TOP's */
    uint64_t *bytes;    /* by piece: of its files */
    bool *is_layer;     /* by piece */
    size_t piece_count; /* the plan's lines, and those beside */
};

static size_t piece_beside(const struct cutting *cutting, size_t piece)
{
    return cutting->request->plan->count + piece;
}

/* Finds the plan's line for what a package gave; the rest when it has none. */
static size_t piece_of_file(const struct cutting *cutting, const struct node *node)
{
    const char *source = map_get(cutting->request->sources, text_of(node->package->name));
    const char *base_name = strrchr(node->path, '/');
    const struct layer_share *share =
        source ? layer_index_find(&cutting->lines, source, base_name ? base_name + 1 : node->path) : NULL;
    return share ? (size_t)(share - cutting->request->plan->items) : piece_beside(cutting, PIECE_REST);
}

static size_t piece_of_node(const struct cutting *cutting, const struct node *node)
{
    const struct tree *tree = cutting->request->tree;
    if (node->kind == NODE_HARDLINK) {
        const size_t *file = map_get(&cutting->paths, text_of(node->target));
        node = file ? &tree->nodes[*file] : node; /* none: packing tells of it */
    }
    if (node->kind == NODE_DIRECTORY || !node->package || node->is_whiteout || node->claim != CLAIM_PACKAGED)
        return piece_beside(cutting, PIECE_TOP);
    return piece_of_file(cutting, node);
}

/* Deals the nodes out. */
static void deal(struct cutting *cutting)
{
    const struct tree *tree = cutting->request->tree;
    size_t *numbers = arena_new_array(cutting->arena, size_t, tree->count);
    layer_index_make(cutting->arena, cutting->request->plan, &cutting->lines);
    for (size_t i = 0; i < tree->count; i++) {
        numbers[i] = i;
        map_set(&cutting->paths, text_of(tree->nodes[i].path), &numbers[i]);
    }
    for (size_t i = 0; i < tree->count; i++) {
        cutting->pieces[i] = piece_of_node(cutting, &tree->nodes[i]);
        if (tree->nodes[i].kind == NODE_FILE)
            cutting->bytes[cutting->pieces[i]] += tree->nodes[i].size_bytes;
    }
}

/* A line of the plan of which enough files are here. */
struct claimant {
    size_t piece;
    uint64_t shared_bytes;
};

static int compare_claimants(const void *a, const void *b)
{
    const struct claimant *first = a, *second = b;
    if (first->shared_bytes != second->shared_bytes)
        return first->shared_bytes < second->shared_bytes ? 1 : -1;
    return first->piece < second->piece ? -1 : 1;
}

/* Says which pieces become layers. */
static void choose(struct cutting *cutting)
{
    const struct layer_plan *plan = cutting->request->plan;
    struct claimant *claimants = arena_new_array(cutting->arena, struct claimant, plan->count);
    size_t count = 0, room = cutting->request->most - PIECES_BESIDE;
    for (size_t i = 0; i < plan->count; i++) {
        if (cutting->bytes[i] >= LAYER_LEAST_BYTES)
            claimants[count++] = (struct claimant){i, plan->items[i].images * plan->items[i].bytes};
    }
    if (count)
        qsort(claimants, count, sizeof *claimants, compare_claimants);
    for (size_t i = 0; i < count && i < room; i++)
        cutting->is_layer[claimants[i].piece] = true;
    size_t rest = piece_beside(cutting, PIECE_REST), top = piece_beside(cutting, PIECE_TOP);
    uint64_t rest_bytes = cutting->bytes[rest];
    for (size_t i = 0; i < plan->count; i++)
        rest_bytes += cutting->is_layer[i] ? 0 : cutting->bytes[i];
    cutting->is_layer[rest] = rest_bytes >= LAYER_LEAST_BYTES;
    cutting->is_layer[top] = true;
}

/* Moves what gets no layer of its own up. */
static void merge(struct cutting *cutting)
{
    size_t rest = piece_beside(cutting, PIECE_REST), top = piece_beside(cutting, PIECE_TOP);
    for (size_t i = 0; i < cutting->request->tree->count; i++) {
        size_t *piece = &cutting->pieces[i];
        if (!cutting->is_layer[*piece])
            *piece = cutting->is_layer[rest] ? rest : top;
    }
}

/* Marks the directories above a path. */
static void mark_parents(const struct cutting *cutting, const char *path, bool *is_in)
{
    for (const char *end = strrchr(path, '/'); end && end > path;) {
        const size_t *dir = map_get(&cutting->paths, (struct text){path, (size_t)(end - path)});
        if (dir)
            is_in[*dir] = true;
        do
            end--;
        while (end > path && *end != '/');
    }
}

/* Marks the nodes of a piece, and for a lower one the directories above them, whose time is *ret_newest then. Returns how many. */
static size_t mark_nodes(const struct cutting *cutting, size_t piece, bool *is_in, int64_t *ret_newest)
{
    const struct tree *whole = cutting->request->tree;
    size_t count = 0;
    bool is_any = false;
    for (size_t i = 0; i < whole->count; i++) {
        if (cutting->pieces[i] != piece)
            continue;
        is_in[i] = true;
        if (piece == piece_beside(cutting, PIECE_TOP))
            continue;
        mark_parents(cutting, whole->nodes[i].path, is_in);
        *ret_newest = !is_any || whole->nodes[i].mtime > *ret_newest ? whole->nodes[i].mtime : *ret_newest;
        is_any = true;
    }
    for (size_t i = 0; i < whole->count; i++)
        count += is_in[i];
    return count;
}

static struct tree make_piece(const struct cutting *cutting, size_t piece)
{
    const struct tree *whole = cutting->request->tree;
    struct tree tree = {.created_time = whole->created_time};
    bool *is_in = arena_new_array(cutting->arena, bool, whole->count);
    bool is_top = piece == piece_beside(cutting, PIECE_TOP);
    int64_t newest = 0;
    tree.nodes = arena_new_array(cutting->arena, struct node, mark_nodes(cutting, piece, is_in, &newest));
    for (size_t i = 0; i < whole->count; i++) {
        struct node *node = &tree.nodes[tree.count];
        if (!is_in[i])
            continue;
        tree.count++;
        *node = whole->nodes[i];
        if (!is_top && node->kind == NODE_DIRECTORY)
            node->mtime = newest;
        tree.file_count += node->kind != NODE_DIRECTORY;
        tree.unpacked_bytes += node->kind == NODE_FILE ? node->size_bytes : 0;
    }
    return tree;
}

/* Makes the trees; a top that has nothing is left out, unless nothing else is there. */
static size_t make_pieces(const struct cutting *cutting, struct tree *trees)
{
    size_t count = 0;
    for (size_t i = 0; i < cutting->piece_count; i++) {
        if (cutting->is_layer[i])
            trees[count++] = make_piece(cutting, i);
    }
    return count > 1 && !trees[count - 1].count ? count - 1 : count;
}

struct tree *layer_cut(struct arena *arena, const struct layer_cut_request *request, size_t *ret_count)
{
    static const struct layer_plan none;
    struct layer_cut_request given = *request;
    given.plan = request->plan ? request->plan : &none;
    struct cutting cutting = {
        .arena = arena, .request = &given, .paths = {.arena = arena}, .piece_count = given.plan->count + PIECES_BESIDE};
    struct tree *trees = arena_new_array(arena, struct tree, cutting.piece_count);
    *ret_count = 1;
    if (given.most < PIECES_BESIDE) {
        trees[0] = *given.tree;
        return trees;
    }
    cutting.pieces = arena_new_array(arena, size_t, given.tree->count);
    cutting.bytes = arena_new_array(arena, uint64_t, cutting.piece_count);
    cutting.is_layer = arena_new_array(arena, bool, cutting.piece_count);
    deal(&cutting);
    choose(&cutting);
    merge(&cutting);
    *ret_count = make_pieces(&cutting, trees);
    return trees;
}
