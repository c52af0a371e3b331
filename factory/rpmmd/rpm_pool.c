/* SPDX-License-Identifier: Apache-2.0 */
/* The Pool of an RPM catalog: loading it, leaving out what configuration and modules leave out. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "rpmmd/rpm_arch.h"

#define LOCKED_BONUS 1000000 /* more than any priority of a configuration */

/* Paths that packages depend on, which primary.xml need not have, and which nothing provides so far. */
static void find_missing(struct rpm_catalog *catalog)
{
    Pool *pool = catalog->pool;
    queue_empty(&catalog->missing);
    for (Id id = 2; !catalog->has_all_files && id < pool->ss.nstrings; id++) {
        const char *string = pool_id2str(pool, id);
        Id provider, at;
        bool is_provided = false;
        if (string[0] != '/' || rpm_pool_has_path(string))
            continue;
        FOR_PROVIDES(provider, at, id)
        {
            is_provided = true;
            break;
        }
        if (!is_provided)
            queue_push(&catalog->missing, id);
    }
}

void rpm_pool_settle(struct rpm_catalog *catalog)
{
    pool_addfileprovides(catalog->pool);
    rpm_pool_settle_again(catalog);
}

void rpm_pool_settle_again(struct rpm_catalog *catalog)
{
    pool_createwhatprovides(catalog->pool);
    find_missing(catalog);
}

static bool load_repo(struct rpm_catalog *catalog, struct rpm_catalog_repo *each, struct err *err)
{
    struct text solv = each->view.len ? (struct text){each->view.ptr, each->view.len}
                                      : (struct text){each->bytes.bytes, each->bytes.len};
    AUTO(auto_close_file) FILE *stream = fmemopen((void *)solv.ptr, solv.len, "r");
    if (!stream)
        memory_abort(solv.len);
    each->repo = repo_create(catalog->pool, each->repository->id);
    each->repo->priority = -each->repository->priority + (each->is_locked ? LOCKED_BONUS : 0);
    each->repo->subpriority = -each->repository->cost;
    if (repo_add_solv(each->repo, stream, 0) == 0)
        return true;
    if (catalog->env)
        store_drop_derived(catalog->env->store, "rpm-solv", &each->key);
    err_set(err, ERR_LOCAL,
            "%s: its index in the cache is damaged (%s); it was removed and is made again at the next run", each->name,
            pool_errstr(catalog->pool));
    return false;
}

/* Leaves out what a lock takes of another generation of the repository. */
static void filter_unseen(const struct rpm_catalog *catalog, Map *considered)
{
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *each = &catalog->repos.items[i];
        Id id;
        const Solvable *item;
        FOR_REPO_SOLVABLES(each->repo, id, item)
        {
            if (!pin_view_shows(&each->seen, text_of(pool_id2str(catalog->pool, item->name))))
                map_clr(considered, id);
        }
    }
}

/* Applies excludepkgs, includepkgs, module streams and locks of versions. */
static bool filter(struct rpm_catalog *catalog, struct err *err)
{
    Pool *pool = catalog->pool;
    AUTO(rpm_modules_done) struct rpm_modules modules = {0};
    const struct strings *enabled = &rpm_source_of(catalog->base.origins.source)->modules;
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *each = &catalog->repos.items[i];
        struct text text = {each->modules.bytes, each->modules.len};
        if (text.len && !rpm_modules_read(&modules, each->repository->id, text, err))
            return false;
    }
    if (!rpm_modules_choose(&modules, enabled, &rpm_source_of(catalog->base.origins.source)->disabled_modules,
                            rpm_arch(catalog->base.arch), err))
        return false;
    pool->considered = solv_calloc(1, sizeof *pool->considered);
    map_init(pool->considered, pool->nsolvables);
    map_setall(pool->considered);
    filter_unseen(catalog, pool->considered);
    rpm_filter_packages(catalog, pool->considered);
    if (modules.streams.count) {
        pool_createwhatprovides(pool); /* their rules look at provides */
        rpm_filter_modules(catalog, &modules, pool->considered);
    }
    rpm_locks_filter(catalog, pool->considered);
    return true;
}

bool rpm_pool_load(struct rpm_catalog *catalog, struct err *err)
{
    Pool *pool = catalog->pool = pool_create();
    (void)pool_setdisttype(pool, DISTTYPE_RPM);
    pool_setarchpolicy(pool, rpm_arch(catalog->base.arch));
    for (size_t i = 0; i < catalog->repos.count; i++) {
        if (!load_repo(catalog, &catalog->repos.items[i], err))
            return false;
        catalog->repos.items[i].repo->appdata = &catalog->repos.items[i];
    }
    if (!filter(catalog, err))
        return false;
    rpm_versions_thin(pool);
    rpm_pool_settle(catalog);
    return true;
}

void rpm_pool_free(Pool *pool)
{
    if (!pool)
        return;
    if (pool->considered)
        map_free(pool->considered);
    pool->considered = solv_free(pool->considered);
    pool_free(pool);
}

bool rpm_catalog_has(const struct catalog *any, const char *name, bool is_virtual_fine)
{
    const struct rpm_catalog *catalog = rpm_catalog_of_const(any);
    Pool *pool = catalog->pool;
    bool is_there = false;
    Id id, at;
    pthread_mutex_lock(catalog->lock);
    Id dependency = pool_str2id(pool, name, 0);
    if (dependency) {
        FOR_PROVIDES(id, at, dependency)
        is_there = is_there || is_virtual_fine || pool_id2solvable(pool, id)->name == dependency;
    }
    pthread_mutex_unlock(catalog->lock);
    return is_there;
}
