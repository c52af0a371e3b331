/* SPDX-License-Identifier: Apache-2.0 */
/* What locks of versions leave out of a Pool, as dnf 4's plugin and dnf5 do it (yum_locks.h). */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "rpmmd/rpm_pattern.h"

#include <fnmatch.h>

/* What the locks say so far. */
struct locking {
    Pool *pool;
    const Map *considered;
    Map named;    /* packages whose name is locked */
    Map locked;   /* those of them that a lock lets in */
    Map excluded; /* "!PATTERN" */
};

static bool is_glob(const char *name)
{
    return strpbrk(name, "*?[\\") != NULL;
}

/* Returns the Id of a name that is no glob, so that most packages need no comparison of texts; 0 for a glob, -1 when
 * nothing is called so. */
static Id plain_name(Pool *pool, const char *name)
{
    Id id = is_glob(name) ? 0 : pool_str2id(pool, name, 0);
    return is_glob(name) || id ? id : -1;
}

static void mark_name(struct locking *locking, const char *name)
{
    Pool *pool = locking->pool;
    Id id, plain = plain_name(pool, name);
    FOR_POOL_SOLVABLES(id)
    {
        Id own = pool_id2solvable(pool, id)->name;
        if (plain ? own == plain : fnmatch(name, pool_id2str(pool, own), 0) == 0)
            solv_map_set(&locking->named, id);
    }
}

/* Marks what a pattern names in one form; returns whether anything is. */
static bool mark_pattern(struct locking *locking, const struct rpm_pattern *pattern, Map *marked)
{
    Pool *pool = locking->pool;
    Id id, plain = plain_name(pool, pattern->name);
    bool is_found = false;
    FOR_POOL_SOLVABLES(id)
    {
        const Solvable *item = pool_id2solvable(pool, id);
        if ((plain && item->name != plain) || !MAPTST(locking->considered, id) ||
            !rpm_pattern_matches(pool, item, pattern))
            continue;
        solv_map_set(marked, id);
        is_found = true;
    }
    return is_found;
}

/* dnf 4: the first form in which the pattern names anything. The names of the forms before it are locked, too, and all of
 * them when no form does: then nothing of the name is let in. */
static void apply_pattern(struct locking *locking, const struct rpm_lock *lock)
{
    static const int forms[RPM_PATTERN_FORMS] = {0, 3, 4, 1, RPM_PATTERN_NAME}; /* the longest first */
    AUTO(arena_done) struct arena scratch = {0};
    bool is_found = false;
    for (size_t i = 0; i < ARRAY_COUNT(forms) && !is_found; i++) {
        struct rpm_pattern pattern;
        if (!rpm_pattern_read(&scratch, lock->pattern, forms[i], &pattern))
            continue;
        if (!lock->is_excluding)
            mark_name(locking, pattern.name);
        is_found = mark_pattern(locking, &pattern, lock->is_excluding ? &locking->excluded : &locking->locked);
    }
}

static int compare_epochs(const char *evr, const char *wanted)
{
    const char *colon = strchr(evr, ':');
    uint64_t one = 0, other = 0;
    bool is_known = (!colon || text_parse_u64((struct text){evr, (size_t)(colon - evr)}, &one)) &&
                    text_parse_u64(text_of(wanted), &other);
    return !is_known || one == other ? 0 : one < other ? -1 : 1;
}

static bool is_met(Pool *pool, const Solvable *item, const struct rpm_lock_condition *condition)
{
    int order = 0;
    switch (condition->key) {
    case RPM_LOCK_EPOCH:
        order = compare_epochs(pool_id2str(pool, item->evr), condition->value);
        break;
    case RPM_LOCK_EVR:
        order = pool_evrcmp_str(pool, pool_id2str(pool, item->evr), condition->value, EVRCMP_COMPARE);
        break;
    case RPM_LOCK_ARCH:
        order = strcmp(pool_id2str(pool, item->arch), condition->value);
        break;
    }
    return order < 0 ? condition->is_less_fine : order > 0 ? condition->is_greater_fine : condition->is_equal_fine;
}

/* dnf5: of the names what meets all conditions. */
static void apply_conditions(struct locking *locking, const struct rpm_lock *lock)
{
    Pool *pool = locking->pool;
    Id id, plain = plain_name(pool, lock->pattern);
    FOR_POOL_SOLVABLES(id)
    {
        const Solvable *item = pool_id2solvable(pool, id);
        bool is_let = true;
        if (plain ? item->name != plain : fnmatch(lock->pattern, pool_id2str(pool, item->name), 0) != 0)
            continue;
        solv_map_set(&locking->named, id);
        for (size_t i = 0; i < lock->conditions.count && is_let; i++)
            is_let = is_met(pool, item, &lock->conditions.items[i]);
        if (is_let && MAPTST(locking->considered, id))
            solv_map_set(&locking->locked, id);
    }
}

/* Whether a package obsoletes one that is let in. */
static bool obsoletes_locked(const struct locking *locking, Solvable *item, const Queue *locked, Queue *obsoletes)
{
    Pool *pool = locking->pool;
    queue_empty(obsoletes);
    solvable_lookup_deparray(item, SOLVABLE_OBSOLETES, obsoletes, 0);
    for (int i = 0; i < obsoletes->count; i++) {
        for (int k = 0; k < locked->count; k++) {
            if (pool_match_nevr(pool, pool_id2solvable(pool, locked->elements[k]), obsoletes->elements[i]))
                return true;
        }
    }
    return false;
}

/* What would take the place of a locked package is left out, unless it is let in itself. */
static void exclude_obsoleters(struct locking *locking)
{
    Pool *pool = locking->pool;
    Queue locked, obsoletes;
    Id id;
    queue_init(&locked);
    queue_init(&obsoletes);
    FOR_POOL_SOLVABLES(id)
    {
        if (MAPTST(&locking->locked, id))
            queue_push(&locked, id);
    }
    FOR_POOL_SOLVABLES(id)
    {
        Solvable *item = pool_id2solvable(pool, id);
        if (item->obsoletes && !MAPTST(&locking->locked, id) && obsoletes_locked(locking, item, &locked, &obsoletes))
            solv_map_set(&locking->excluded, id);
    }
    queue_free(&obsoletes);
    queue_free(&locked);
}

void rpm_locks_filter(struct rpm_catalog *catalog, Map *considered)
{
    const struct rpm_source *source = rpm_source_of(catalog->base.origins.source);
    Pool *pool = catalog->pool;
    struct locking locking = {.pool = pool, .considered = considered};
    if (!source->locks.count)
        return;
    map_init(&locking.named, pool->nsolvables);
    map_init(&locking.locked, pool->nsolvables);
    map_init(&locking.excluded, pool->nsolvables);
    for (size_t i = 0; i < source->locks.count; i++) {
        const struct rpm_lock *lock = &source->locks.items[i];
        if (lock->is_of_dnf5)
            apply_conditions(&locking, lock);
        else
            apply_pattern(&locking, lock);
    }
    exclude_obsoleters(&locking);
    map_subtract(&locking.named, &locking.locked);
    map_subtract(considered, &locking.named);
    map_subtract(considered, &locking.excluded);
    map_free(&locking.named);
    map_free(&locking.locked);
    map_free(&locking.excluded);
}
