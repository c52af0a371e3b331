/* SPDX-License-Identifier: Apache-2.0 */
/* Which packages of a selection are fetched first (struct selected.is_likely). */
#include "rpmmd/rpm_catalog_parts.h"

/* One walk. */
struct walk {
    Pool *pool;
    const Queue *requested;
    const Map *installed;
    Map *likely;
    Queue *queue; /* those that are likely, to be looked at in turn */
};

static const char *source_of(Pool *pool, Id id)
{
    Solvable *item = pool_id2solvable(pool, id);
    const char *name = solvable_lookup_str(item, SOLVABLE_SOURCENAME);
    return name ? name : pool_id2str(pool, item->name);
}

/* "libfoo.so.1()(64bit)", "libfoo.so.1(FOO_1.2)(64bit)" */
static bool is_library(const Pool *pool, Id dependency)
{
    return !ISRELDEP(dependency) && strstr(pool_id2str(pool, dependency), ".so");
}

/* Whether `id` is of the source of one of the requested packages. */
static bool is_near(const struct walk *walk, Id id)
{
    for (int i = 0; i < walk->requested->count; i++) {
        Id asked = walk->requested->elements[i];
        if (MAPTST(walk->installed, asked) && strcmp(source_of(walk->pool, asked), source_of(walk->pool, id)) == 0)
            return true;
    }
    return false;
}

/* The C library opens it without saying so, and the closure keeps it beside any C library (closure/closure.h). */
static void mark_libgcc(const struct walk *walk)
{
    static const char *const names[] = {"libgcc_s.so.1()(64bit)", "libgcc_s.so.1"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        Id dependency = pool_str2id(walk->pool, names[i], 0), id, at;
        if (!dependency)
            continue;
        Pool *pool = walk->pool; /* FOR_PROVIDES wants that name */
        FOR_PROVIDES(id, at, dependency)
        {
            if (MAPTST(walk->installed, id))
                solv_map_set(walk->likely, id);
        }
    }
}

/* Marks what a likely package needs: libraries, and packages of the requested ones' sources. */
static void mark_need(void *context, Id dependency, Id id)
{
    const struct walk *walk = context;
    if (!MAPTST(walk->installed, id) || MAPTST(walk->likely, id) ||
        !(is_library(walk->pool, dependency) || is_near(walk, id)))
        return;
    solv_map_set(walk->likely, id);
    queue_push(walk->queue, id);
}

void rpm_likely_mark(Pool *pool, const Queue *requested, const Map *installed, Map *likely)
{
    Queue queue;
    struct walk walk = {pool, requested, installed, likely, &queue};
    queue_init(&queue);
    for (int i = 0; i < requested->count; i++) {
        Id id = requested->elements[i];
        if (!MAPTST(installed, id))
            continue;
        solv_map_set(likely, id);
        queue_push(&queue, id);
    }
    rpm_pool_mark_loader_configurers(pool, installed, likely, &queue);
    for (int done = 0; done < queue.count; done++)
        rpm_pool_each_provider(pool, queue.elements[done], SOLVABLE_REQUIRES, mark_need, &walk);
    queue_free(&queue);
    mark_libgcc(&walk);
}
