/* SPDX-License-Identifier: Apache-2.0 */
/* As apt's MarkInstall() does it (apt-pkg/depcache.cc): all that is asked for is taken first; then, depth first in the order in
 * which a package lists its clauses, Pre-Depends before Depends, a clause that something picked satisfies is passed over; of
 * another the packages that satisfy it are tried, alternative by alternative, in each the best provider first, until one
 * can be had with all that it needs. What was picked for one that could not stays picked, as with apt: what nothing needs
 * is left out of the selection anyway. A stack of our own, since the depth is the archive's. */
#include "deb/deb_greedy.h"

#include "base/auto.h"
#include "deb/deb_mention.h"

#include <stdlib.h>

/* How the package on top of the stack ended, for the one below it. */
enum ending { ENDING_NONE, ENDING_GOOD, ENDING_BAD };

struct frame {
    struct solve_item *item;
    size_t next_clause;
    struct solve_item **solutions; /* of the clause before that; NULL: none is being tried */
    size_t solution_count, next_solution;
    bool is_asked; /* by name: it stays, whatever is missing */
};

/* A package and where its name is first mentioned. */
struct known_mention {
    bool is_found;
    struct deb_mention mention;
};

struct greedy {
    struct solve_pool *solve;
    struct arena arena;
    Map is_picked, is_discarded;
    int *opponents;                 /* per solvable: how many picked packages conflict with it */
    struct known_mention *mentions; /* per solvable */
    Queue *picked;
    enum ending ending;
    LIST(struct frame) stack;
};

/* Counts a package's conflicts for or against others. */
static void count_conflicts(struct greedy *greedy, Id id, int by)
{
    Pool *pool = greedy->solve->pool;
    Id provider, at;
    Queue ids;
    queue_init(&ids);
    solvable_lookup_deparray(pool_id2solvable(pool, id), SOLVABLE_CONFLICTS, &ids, 0);
    for (int i = 0; i < ids.count; i++) {
        FOR_PROVIDES(provider, at, ids.elements[i])
        greedy->opponents[provider] += provider == id ? 0 : by;
    }
    queue_free(&ids);
}

/* Returns whether a package and something picked cannot be there together. */
static bool has_opponent(const struct greedy *greedy, Id id)
{
    Pool *pool = greedy->solve->pool;
    bool has_one = greedy->opponents[id] > 0;
    Id provider, at;
    Queue ids;
    queue_init(&ids);
    solvable_lookup_deparray(pool_id2solvable(pool, id), SOLVABLE_CONFLICTS, &ids, 0);
    for (int i = 0; i < ids.count && !has_one; i++) {
        FOR_PROVIDES(provider, at, ids.elements[i])
        has_one = has_one || (provider != id && MAPTST(&greedy->is_picked, provider));
    }
    queue_free(&ids);
    return has_one;
}

static void pick(struct greedy *greedy, struct solve_item *item)
{
    if (MAPTST(&greedy->is_picked, item->id))
        return;
    solv_map_set(&greedy->is_picked, item->id);
    queue_push(greedy->picked, item->id);
    count_conflicts(greedy, item->id, 1);
}

/* Takes a package back for good. */
static void discard(struct greedy *greedy, const struct solve_item *item)
{
    solv_map_set(&greedy->is_discarded, item->id);
    if (!MAPTST(&greedy->is_picked, item->id))
        return;
    map_clr(&greedy->is_picked, item->id);
    count_conflicts(greedy, item->id, -1);
    for (int i = 0; i < greedy->picked->count; i++) {
        if (greedy->picked->elements[i] == item->id)
            queue_delete(greedy->picked, i--);
    }
}

/* The field Priority as a number: the smaller the more important; none at all comes first. */
static int importance(const struct solve_item *item)
{
    static const char *const names[] = {"required", "important", "standard", "optional", "extra"};
    int count = (int)ARRAY_COUNT(names);
    for (int i = 0; i < count; i++) {
        if (text_is_nocase(item->stanza.priority, names[i]))
            return i + 1;
    }
    return item->stanza.priority.len ? count : 0;
}

static const struct deb_mention *mention_of(struct greedy *greedy, const struct solve_item *item)
{
    struct known_mention *known = &greedy->mentions[item->id];
    struct err ignored = {0}; /* the solver looks again, and tells */
    if (!known->is_found && solve_watch_look(&greedy->solve->watch, &ignored))
        known->mention = deb_mention_find(greedy->solve->catalog, item->stanza.name);
    known->is_found = true;
    return &known->mention;
}

/* What is compared of two providers, in this order; `name` is the one that they provide. */
struct rival {
    bool is_installed, is_real, is_essential, is_protected;
    int importance;
};

static struct rival rival_of(const struct greedy *greedy, const struct solve_item *item, struct text name)
{
    const struct deb_stanza *stanza = &item->stanza;
    return (struct rival){
        .is_installed = solve_installed(greedy->solve, stanza->name) != NULL,
        .is_real = text_eq(stanza->name, name),
        .is_essential = text_is_nocase(stanza->essential, "yes"),
        .is_protected = text_is_nocase(stanza->important, "yes") || text_is_nocase(stanza->protected, "yes"),
        .importance = importance(item),
    };
}

/* Returns whether `a` is a better provider of a name than `b`. */
static bool is_better(struct greedy *greedy, const struct solve_item *a, const struct solve_item *b, struct text name)
{
    if (text_eq(a->stanza.name, b->stanza.name))
        return solve_compare(a, b) > 0;
    struct rival left = rival_of(greedy, a, name), right = rival_of(greedy, b, name);
    if (left.is_installed != right.is_installed)
        return left.is_installed;
    if (left.is_real != right.is_real)
        return left.is_real;
    if (left.is_essential != right.is_essential)
        return left.is_essential;
    if (left.is_protected != right.is_protected)
        return left.is_protected;
    if (left.importance != right.importance)
        return left.importance < right.importance;
    return deb_mention_is_later(mention_of(greedy, a), mention_of(greedy, b));
}

typedef LIST(struct solve_item *) item_list;

/* Sorting the providers of a name. */
struct providers {
    struct greedy *greedy;
    struct text name;
};

static int compare_providers(const void *a, const void *b, void *any)
{
    const struct providers *providers = any;
    const struct solve_item *left = *(struct solve_item *const *)a, *right = *(struct solve_item *const *)b;
    if (is_better(providers->greedy, left, right, providers->name))
        return -1;
    return is_better(providers->greedy, right, left, providers->name) ? 1 : left->id - right->id;
}

/* Adds the providers of one alternative, the best first. */
static void add_providers(struct greedy *greedy, Id alternative, item_list *items)
{
    Pool *pool = greedy->solve->pool;
    Id name = alternative, id, at;
    size_t begin = items->count;
    while (ISRELDEP(name))
        name = GETRELDEP(pool, name)->name;
    struct providers providers = {greedy, text_of(pool_id2str(pool, name))};
    FOR_PROVIDES(id, at, alternative)
    {
        if (greedy->solve->by_id[id])
            list_add(&greedy->arena, items, greedy->solve->by_id[id]);
    }
    if (items->count > begin + 1)
        qsort_r(items->items + begin, items->count - begin, sizeof *items->items, compare_providers, &providers);
}

/* Lists what could satisfy a clause, in the order of apt's tries: what is installed in an older version comes first. */
static void list_solutions(struct greedy *greedy, Id clause, struct frame *frame)
{
    Pool *pool = greedy->solve->pool;
    item_list items = {0}, sorted = {0};
    while (ISRELDEP(clause) && GETRELDEP(pool, clause)->flags == REL_OR) {
        add_providers(greedy, GETRELDEP(pool, clause)->name, &items);
        clause = GETRELDEP(pool, clause)->evr;
    }
    add_providers(greedy, clause, &items);
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < items.count; i++) {
            bool is_installed = solve_installed(greedy->solve, items.items[i]->stanza.name) != NULL;
            if (is_installed == (turn == 0))
                list_add(&greedy->arena, &sorted, items.items[i]);
        }
    }
    frame->solutions = sorted.count ? sorted.items : arena_new_array(&greedy->arena, struct solve_item *, 1);
    frame->solution_count = sorted.count;
    frame->next_solution = 0;
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

/* Returns whether everything that a package needs has a provider at all. */
static bool is_satisfiable(const struct greedy *greedy, const struct solve_item *item)
{
    Pool *pool = greedy->solve->pool;
    for (size_t i = 0; i < item->clause_count; i++) {
        bool has_one = false;
        Id id, at;
        FOR_PROVIDES(id, at, item->clauses[i])
        has_one = has_one || !MAPTST(&greedy->is_discarded, id);
        if (!has_one)
            return false;
    }
    return true;
}

static void push(struct greedy *greedy, struct solve_item *item, bool is_asked)
{
    pick(greedy, item);
    list_add(&greedy->arena, &greedy->stack, (struct frame){.item = item, .is_asked = is_asked});
}

/* Ends the package on top of the stack. */
static void end_frame(struct greedy *greedy, enum ending ending)
{
    struct frame frame = greedy->stack.items[--greedy->stack.count];
    if (ending == ENDING_BAD)
        discard(greedy, frame.item);
    greedy->ending = ending;
}

/* Tries the next solution of the clause; returns whether it has to be waited for. *ret_good: one is there. */
static bool try_next(struct greedy *greedy, struct frame *frame, bool *ret_good)
{
    while (frame->next_solution < frame->solution_count) {
        struct solve_item *item = frame->solutions[frame->next_solution++];
        *ret_good = MAPTST(&greedy->is_picked, item->id);
        if (*ret_good)
            return false;
        if (MAPTST(&greedy->is_discarded, item->id) || has_opponent(greedy, item->id))
            continue;
        if (is_satisfiable(greedy, item)) {
            push(greedy, item, false);
            return true;
        }
        discard(greedy, item);
    }
    *ret_good = false;
    return false;
}

/* Goes on with the package on top of the stack. */
static void step(struct greedy *greedy)
{
    struct frame *frame = &greedy->stack.items[greedy->stack.count - 1];
    bool is_good = greedy->ending == ENDING_GOOD;
    greedy->ending = ENDING_NONE;
    if (frame->solutions) {
        if (!is_good && try_next(greedy, frame, &is_good))
            return; /* `frame` may have moved */
        frame->solutions = NULL;
        if (!is_good && !frame->is_asked)
            end_frame(greedy, ENDING_BAD);
    } else if (frame->next_clause == frame->item->clause_count) {
        end_frame(greedy, ENDING_GOOD);
    } else {
        Id clause = frame->item->clauses[frame->next_clause++];
        if (!is_satisfied(greedy, clause))
            list_solutions(greedy, clause, frame);
    }
}

/* The best package of a requested name; NULL when there is none. */
static struct solve_item *best_of(struct greedy *greedy, Id requested)
{
    item_list items = {0};
    add_providers(greedy, requested, &items);
    return items.count ? items.items[0] : NULL;
}

static void greedy_init(struct greedy *greedy, struct solve_pool *solve, Queue *picked)
{
    size_t count = (size_t)solve->pool->nsolvables;
    *greedy = (struct greedy){.solve = solve, .picked = picked};
    map_init(&greedy->is_picked, solve->pool->nsolvables);
    map_init(&greedy->is_discarded, solve->pool->nsolvables);
    greedy->opponents = arena_new_array(&greedy->arena, int, count);
    greedy->mentions = arena_new_array(&greedy->arena, struct known_mention, count);
    for (size_t i = 0; i < solve->installed.count; i++)
        solv_map_set(&greedy->is_picked, solve->installed.items[i].id);
}

void solve_greedy(struct solve_pool *solve, const Id *requested, size_t count, Queue *picked)
{
    struct greedy greedy;
    struct err over = {0}; /* then the solver looks at the clock, too, and tells */
    greedy_init(&greedy, solve, picked);
    struct solve_item **asked = arena_new_array(&greedy.arena, struct solve_item *, count);
    for (size_t i = 0; i < count; i++) {
        struct solve_item *best = best_of(&greedy, requested[i]);
        bool is_there = solve->installed.count && is_satisfied(&greedy, requested[i]);
        if (!best || (is_there && !solve_installed(solve, best->stanza.name)))
            continue;
        asked[i] = best;
        pick(&greedy, best);
    }
    for (size_t i = 0; i < count; i++) {
        if (asked[i])
            push(&greedy, asked[i], true);
        while (greedy.stack.count && solve_watch_look(&solve->watch, &over))
            step(&greedy);
        greedy.stack.count = 0;
        greedy.ending = ENDING_NONE;
    }
    map_free(&greedy.is_picked);
    map_free(&greedy.is_discarded);
    arena_done(&greedy.arena);
}
