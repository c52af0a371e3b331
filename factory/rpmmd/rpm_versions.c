/* SPDX-License-Identifier: Apache-2.0 */
/* Vendors keep thousands of versions of one package, and libsolv's work grows with their square: of each name and
 * architecture the best few stay, and what a relation of those that stay needs of the others. dnf gives its solver all of
 * them; the solution is the same unless none of the best few can be installed. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"

#include <stdlib.h>

#define VERSIONS_MAX 16             /* of a name and architecture */
#define RESTORE_STEPS_MAX 50000000u /* of looking for what relations need; the rest stays left out */

struct thinning {
    Pool *pool;
    Map older;      /* packages that are left out */
    Queue queue;    /* packages whose relations are still to be looked at */
    Map seen;       /* relations that were, by GETRELID() … */
    Map seen_names; /* … and those without a version */
    size_t steps;
};

static int compare_best_first(const void *a, const void *b, void *any)
{
    const Pool *pool = any;
    const Solvable *one = pool_id2solvable(pool, *(const Id *)a), *other = pool_id2solvable(pool, *(const Id *)b);
    if (one->name != other->name)
        return one->name < other->name ? -1 : 1;
    if (one->arch != other->arch)
        return one->arch < other->arch ? -1 : 1;
    int order = rpm_pool_compare(pool, other, one);
    return order ? order : *(const Id *)a - *(const Id *)b;
}

/* Adds the packages of names that have more than VERSIONS_MAX. */
static void find_crowds(Pool *pool, Queue *ret_ids)
{
    AUTO(arena_done) struct arena scratch = {0};
    unsigned *counts = arena_new_array(&scratch, unsigned, (size_t)pool->ss.nstrings);
    Id id;
    FOR_POOL_SOLVABLES(id)
    {
        if (rpm_pool_is_offered(pool, id))
            counts[pool_id2solvable(pool, id)->name]++;
    }
    FOR_POOL_SOLVABLES(id)
    {
        if (counts[pool_id2solvable(pool, id)->name] > VERSIONS_MAX && rpm_pool_is_offered(pool, id))
            queue_push(ret_ids, id);
    }
}

/* Leaves out all but the best of each name and architecture. */
static void leave_out(struct thinning *thinning, Queue *crowd)
{
    Pool *pool = thinning->pool;
    int rank = 0;
    qsort_r(crowd->elements, (size_t)crowd->count, sizeof *crowd->elements, compare_best_first, pool);
    for (int i = 0; i < crowd->count; i++) {
        const Solvable *item = pool_id2solvable(pool, crowd->elements[i]);
        const Solvable *last = i ? pool_id2solvable(pool, crowd->elements[i - 1]) : NULL;
        rank = last && last->name == item->name && last->arch == item->arch ? rank + 1 : 0;
        if (rank < VERSIONS_MAX)
            continue;
        map_clr(pool->considered, crowd->elements[i]);
        solv_map_set(&thinning->older, crowd->elements[i]);
    }
}

static void restore(struct thinning *thinning, Id id)
{
    solv_map_set(thinning->pool->considered, id);
    map_clr(&thinning->older, id);
    queue_push(&thinning->queue, id);
}

/* Restores the best provider of a relation that only packages which were left out provide. */
static void restore_provider(struct thinning *thinning, Id relation)
{
    Pool *pool = thinning->pool;
    Id best = 0, id, at;
    FOR_PROVIDES(id, at, relation)
    {
        thinning->steps++;
        if (MAPTST(pool->considered, id))
            return;
        if (MAPTST(&thinning->older, id) &&
            (!best || rpm_pool_compare(pool, pool_id2solvable(pool, id), pool_id2solvable(pool, best)) > 0))
            best = id;
    }
    if (best)
        restore(thinning, best);
}

static bool is_seen(Map *seen, Id id)
{
    if (id >= seen->size << 3)
        map_grow(seen, id + 1);
    bool is_one = MAPTST(seen, id);
    solv_map_set(seen, id);
    return is_one;
}

/* Looks at a relation, at all parts of a rich one. */
static void meet(struct thinning *thinning, Id id)
{
    Pool *pool = thinning->pool;
    bool is_relation = ISRELDEP(id);
    bool is_known = is_relation ? is_seen(&thinning->seen, (Id)GETRELID(id)) : is_seen(&thinning->seen_names, id);
    if (is_known || thinning->steps > RESTORE_STEPS_MAX)
        return;
    const Reldep relation = is_relation ? *GETRELDEP(pool, id) : (Reldep){0};
    if (relation.flags > 7) {
        meet(thinning, relation.name);
        meet(thinning, relation.evr);
        return;
    }
    for (const Id *each = pool_whatprovides_ptr(pool, is_relation ? relation.name : id); *each; each++)
        thinning->steps++; /* libsolv compares each with the relation's version */
    restore_provider(thinning, id);
}

/* Restores what the packages of the queue need, and what those need. */
static void restore_needs(struct thinning *thinning)
{
    Queue relations;
    queue_init(&relations);
    while (thinning->queue.count) {
        Solvable *item = pool_id2solvable(thinning->pool, queue_pop(&thinning->queue));
        queue_empty(&relations);
        solvable_lookup_deparray(item, SOLVABLE_REQUIRES, &relations, 0);
        for (int i = 0; i < relations.count; i++)
            meet(thinning, relations.elements[i]);
    }
    queue_free(&relations);
}

static void thinning_init(struct thinning *thinning, Pool *pool)
{
    *thinning = (struct thinning){.pool = pool};
    queue_init(&thinning->queue);
    map_init(&thinning->older, pool->nsolvables);
    map_init(&thinning->seen, pool->nrels);
    map_init(&thinning->seen_names, pool->ss.nstrings);
}

static void thinning_done(struct thinning *thinning)
{
    queue_free(&thinning->queue);
    map_free(&thinning->older);
    map_free(&thinning->seen);
    map_free(&thinning->seen_names);
}

void rpm_versions_thin(Pool *pool)
{
    Queue crowd;
    Id id;
    queue_init(&crowd);
    find_crowds(pool, &crowd);
    if (crowd.count) {
        pool_createwhatprovides(pool); /* with all of them */
        AUTO(thinning_done) struct thinning thinning;
        thinning_init(&thinning, pool);
        leave_out(&thinning, &crowd);
        FOR_POOL_SOLVABLES(id)
        {
            if (rpm_pool_is_offered(pool, id))
                queue_push(&thinning.queue, id);
        }
        restore_needs(&thinning);
    }
    queue_free(&crowd);
}
