/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_filelists_matter() of rpm_catalog_parts.h */
#include "rpmmd/rpm_catalog_parts.h"

/* Whether a dependency names one of the missing paths, rich ones with all they are made of. */
static bool names_missing(const Pool *pool, const Map *missing, Id dependency, int depth)
{
    if (ISRELDEP(dependency)) {
        const Reldep *relation = GETRELDEP(pool, dependency);
        return depth < 64 && (names_missing(pool, missing, relation->name, depth + 1) ||
                              (relation->flags > 7 && names_missing(pool, missing, relation->evr, depth + 1)));
    }
    return dependency < missing->size << 3 && MAPTST(missing, dependency);
}

static bool needs_missing(Pool *pool, const Map *missing, Id id)
{
    static const Id keys[] = {SOLVABLE_REQUIRES, SOLVABLE_CONFLICTS, SOLVABLE_RECOMMENDS, SOLVABLE_SUPPLEMENTS};
    bool is_one = false;
    Queue dependencies;
    queue_init(&dependencies);
    for (size_t k = 0; !is_one && k < ARRAY_COUNT(keys); k++) {
        queue_empty(&dependencies);
        solvable_lookup_deparray(pool_id2solvable(pool, id), keys[k], &dependencies, 0);
        for (int i = 0; !is_one && i < dependencies.count; i++)
            is_one = names_missing(pool, missing, dependencies.elements[i], 0);
    }
    queue_free(&dependencies);
    return is_one;
}

/* What can be reached, each package once. */
struct reach {
    Map seen;
    Queue queue;
};

static void reach_one(struct reach *reach, Id id)
{
    if (MAPTST(&reach->seen, id))
        return;
    solv_map_set(&reach->seen, id);
    queue_push(&reach->queue, id);
}

static void reach_provider(void *context, Id dependency, Id provider)
{
    (void)dependency;
    reach_one(context, provider);
}

bool rpm_filelists_matter(const struct rpm_catalog *catalog, const Queue *from, bool is_weak)
{
    bool is_so = false;
    struct reach reach;
    Map missing; /* missing: by the paths' Ids, since very many dependencies are looked at */
    if (!catalog->missing.count)
        return false;
    queue_init(&reach.queue);
    map_init(&reach.seen, catalog->pool->nsolvables);
    map_init(&missing, catalog->pool->ss.nstrings);
    for (int i = 0; i < catalog->missing.count; i++)
        solv_map_set(&missing, catalog->missing.elements[i]);
    for (int i = 0; i < from->count; i++)
        reach_one(&reach, from->elements[i]);
    for (int done = 0; !is_so && done < reach.queue.count; done++) {
        Id id = reach.queue.elements[done];
        is_so = needs_missing(catalog->pool, &missing, id);
        rpm_pool_each_provider(catalog->pool, id, SOLVABLE_REQUIRES, reach_provider, &reach);
        if (is_weak)
            rpm_pool_each_provider(catalog->pool, id, SOLVABLE_RECOMMENDS, reach_provider, &reach);
    }
    map_free(&reach.seen);
    map_free(&missing);
    queue_free(&reach.queue);
    return is_so;
}
