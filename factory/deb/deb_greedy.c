/* Depth first in the order in which a package lists its clauses, Pre-Depends before Depends. A clause that a picked
 * package satisfies already is passed over; else its alternatives are tried from left to right, and in each the real
 * package of that name comes before those that provide it. A stack of our own, since the depth is the archive's. */
#include "deb/deb_greedy.h"

#include "base/auto.h"

struct frame {
    const struct solve_item *item;
    size_t next_clause;
};

struct greedy {
    struct solve_pool *solve;
    struct arena arena;
    Map is_picked;
    Queue *picked;
    LIST(struct frame) stack;
};

static void pick(struct greedy *greedy, struct solve_item *item)
{
    if (MAPTST(&greedy->is_picked, item->id))
        return;
    solv_map_set(&greedy->is_picked, item->id);
    queue_push(greedy->picked, item->id);
    list_add(&greedy->arena, &greedy->stack, (struct frame){.item = item});
}

/* The field Priority as a number: the smaller the more important. */
static int importance(const struct solve_item *item)
{
    static const char *const names[] = {"required", "important", "standard", "optional", "extra"};
    int count = (int)ARRAY_COUNT(names);
    for (int i = 0; i < count; i++) {
        if (text_is(item->stanza.priority, names[i]))
            return i;
    }
    return count;
}

/* Returns whether `a` is a better provider than `b`. */
static bool is_better(const struct solve_pool *solve, const struct solve_item *a, const struct solve_item *b)
{
    if (text_eq(a->stanza.name, b->stanza.name))
        return solve_compare(solve->pool, a, b) > 0;
    int left = solve_priority(a->index->release), right = solve_priority(b->index->release);
    return left != right ? left > right : importance(a) < importance(b);
}

/* Finds the best provider of one alternative: a real package of that name if there is one. */
static struct solve_item *best_of(const struct solve_pool *solve, Id alternative)
{
    Pool *pool = solve->pool;
    Id name = alternative, id, at;
    struct solve_item *real = NULL, *virtual = NULL;
    while (ISRELDEP(name))
        name = GETRELDEP(pool, name)->name;
    FOR_PROVIDES(id, at, alternative)
    {
        struct solve_item *item = solve->by_id[id];
        struct solve_item **best = item && pool_id2solvable(pool, id)->name == name ? &real : &virtual;
        if (item && (!*best || is_better(solve, item, *best)))
            *best = item;
    }
    return real ? real : virtual;
}

static struct solve_item *best_of_clause(const struct solve_pool *solve, Id clause)
{
    struct solve_item *best = NULL;
    while (!best && ISRELDEP(clause) && GETRELDEP(solve->pool, clause)->flags == REL_OR) {
        best = best_of(solve, GETRELDEP(solve->pool, clause)->name);
        clause = GETRELDEP(solve->pool, clause)->evr;
    }
    return best ? best : best_of(solve, clause);
}

static bool is_satisfied(const struct greedy *greedy, Id clause)
{
    Pool *pool = greedy->solve->pool;
    Id id, at;
    FOR_PROVIDES(id, at, clause)
    {
        if (MAPTST(&greedy->is_picked, id))
            return true;
    }
    return false;
}

/* Picks what the stack's packages want until it is empty. */
static void run(struct greedy *greedy)
{
    while (greedy->stack.count) {
        struct frame *frame = &greedy->stack.items[greedy->stack.count - 1];
        if (frame->next_clause == frame->item->clause_count) {
            greedy->stack.count--;
            continue;
        }
        Id clause = frame->item->clauses[frame->next_clause++];
        struct solve_item *best = is_satisfied(greedy, clause) ? NULL : best_of_clause(greedy->solve, clause);
        if (best)
            pick(greedy, best);
    }
}

void solve_greedy(struct solve_pool *solve, const Id *requested, size_t count, Queue *picked)
{
    struct greedy greedy = {.solve = solve, .picked = picked};
    map_init(&greedy.is_picked, solve->pool->nsolvables);
    for (size_t i = 0; i < solve->installed.count; i++)
        solv_map_set(&greedy.is_picked, solve->installed.items[i].id);
    for (size_t i = 0; i < count; i++) {
        struct solve_item *best = best_of(solve, requested[i]);
        bool is_there = solve->installed.count && is_satisfied(&greedy, requested[i]);
        if (best && !(is_there && !solve_installed(solve, best->stanza.name)))
            pick(&greedy, best);
        run(&greedy);
    }
    map_free(&greedy.is_picked);
    arena_done(&greedy.arena);
}
