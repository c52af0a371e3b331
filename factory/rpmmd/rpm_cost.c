/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_cost_check() of rpm_catalog_parts.h: a walk from the requested packages over all that could meet a dependency, as
 * libsolv makes its rules, but counting only. Rich dependencies are taken apart here: to ask libsolv for the providers of
 * a whole one makes the lists that have to be counted first. */
#include "rpmmd/rpm_catalog_parts.h"

#include "rpmmd/rpm_rich.h"
#include "source/solve_cost.h"

#define PROVIDERS_MAX 10000u /* of a name that is needed */
#define WITH_SHARE 16        /* "a with b" compares each provider with each: so many take the time of one entry */

struct costing {
    Pool *pool;
    struct solve_watch *watch;
    struct solve_cost cost;
    Map seen;
    Queue queue; /* packages still to look at, from `done` on */
    int done;
    Queue relations; /* of the one at hand */
    Id crowded;      /* a name with too many providers, or 0 */
};

static bool is_composite(const Pool *pool, Id id)
{
    return ISRELDEP(id) && GETRELDEP(pool, id)->flags > 7 && GETRELDEP(pool, id)->flags != REL_ARCH;
}

static void reach(struct costing *costing, Id relation)
{
    for (const Id *id = pool_whatprovides_ptr(costing->pool, relation); *id; id++) {
        if (MAPTST(&costing->seen, *id))
            continue;
        solv_map_set(&costing->seen, *id);
        queue_push(&costing->queue, *id);
    }
}

static Id name_of(const Pool *pool, Id id)
{
    while (ISRELDEP(id))
        id = GETRELDEP(pool, id)->name;
    return id;
}

/* The providers of all names in a relation; with is_reached they are walked to. The depth is bounded by
 * RPM_RICH_OPERANDS_MAX. */
static uint64_t count_names(struct costing *costing, Id id, bool is_reached)
{
    Pool *pool = costing->pool;
    if (is_composite(pool, id)) {
        const Reldep relation = *GETRELDEP(pool, id);
        uint64_t left = count_names(costing, relation.name, is_reached);
        uint64_t right = count_names(costing, relation.evr, is_reached);
        bool is_compared = relation.flags == REL_WITH || relation.flags == REL_WITHOUT;
        return left + right + (is_compared ? left * right / WITH_SHARE : 0);
    }
    uint64_t count = solve_cost_of_providers(pool, name_of(pool, id));
    if (is_reached && count > PROVIDERS_MAX)
        costing->crowded = name_of(pool, id);
    else if (is_reached && !solve_cost_is_over(&costing->cost))
        reach(costing, id);
    return count;
}

static uint64_t relation_cost(struct costing *costing, Id id, bool is_reached)
{
    uint64_t count = count_names(costing, id, is_reached);
    if (!is_composite(costing->pool, id))
        return SOLVE_COST_OF_CLAUSE + count;
    return (rpm_rich_clause_count(costing->pool, id) + RPM_RICH_OPERANDS_MAX / 16) * (SOLVE_COST_OF_CLAUSE + count);
}

static uint64_t list_cost(struct costing *costing, Id id, Id key, bool is_reached)
{
    uint64_t sum = 0;
    queue_empty(&costing->relations);
    solvable_lookup_deparray(pool_id2solvable(costing->pool, id), key, &costing->relations, 0);
    for (int i = 0; i < costing->relations.count; i++)
        sum += relation_cost(costing, costing->relations.elements[i], is_reached);
    return sum;
}

static bool look_at(struct costing *costing, Id id, bool is_weak, struct err *err)
{
    uint64_t needs = list_cost(costing, id, SOLVABLE_REQUIRES, true);
    if (is_weak)
        needs += list_cost(costing, id, SOLVABLE_RECOMMENDS, true);
    uint64_t rules = list_cost(costing, id, SOLVABLE_CONFLICTS, false) +
                     list_cost(costing, id, SOLVABLE_OBSOLETES, false) +
                     solve_cost_of_providers(costing->pool, pool_id2solvable(costing->pool, id)->name);
    solve_cost_add(&costing->cost, id, needs + SOLVE_COST_OF_CONFLICT * rules);
    if (costing->crowded) {
        err_set(err, ERR_MALFORMED, "package %s needs %s, which more than %u packages provide",
                pool_solvid2str(costing->pool, id), pool_id2str(costing->pool, costing->crowded), PROVIDERS_MAX);
        return false;
    }
    if (solve_cost_is_over(&costing->cost))
        return solve_cost_fail(&costing->cost, costing->pool, err);
    return solve_watch_look(costing->watch, err);
}

/* Packages that come because of what is installed. */
static void add_supplements(struct costing *costing)
{
    Pool *pool = costing->pool;
    Id id;
    FOR_POOL_SOLVABLES(id)
    {
        if (!pool_id2solvable(pool, id)->supplements || MAPTST(&costing->seen, id) || !rpm_pool_is_offered(pool, id))
            continue;
        solv_map_set(&costing->seen, id);
        queue_push(&costing->queue, id);
    }
}

bool rpm_cost_check(Pool *pool, struct solve_watch *watch, const Queue *requested, bool is_weak, struct err *err)
{
    struct costing costing = {.pool = pool, .watch = watch};
    map_init(&costing.seen, pool->nsolvables);
    queue_init(&costing.relations);
    queue_init_clone(&costing.queue, requested);
    for (int i = 0; i < requested->count; i++)
        solv_map_set(&costing.seen, requested->elements[i]);
    if (is_weak)
        add_supplements(&costing);
    bool is_good = true;
    while (is_good && costing.done < costing.queue.count)
        is_good = look_at(&costing, costing.queue.elements[costing.done++], is_weak, err);
    map_free(&costing.seen);
    queue_free(&costing.relations);
    queue_free(&costing.queue);
    return is_good;
}
