/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of one source package: found in primary.xml, what they ship in the tables of filelists. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"

#include <stdlib.h>

#define SIBLINGS_MAX 5000 /* of one source; Fedora's texlive has most */
#define DEPENDS_MAX 200   /* names that are told */

/* One question. */
struct asking {
    struct rpm_catalog *catalog;
    struct arena *arena;
    const char *package;
    Id given;
    struct siblings found;
};

/* Which package a dependency is looked for at, and whether one leads there. */
struct leading {
    Id to;
    bool is_so;
};

static void take_provider(void *context, Id dependency, Id provider)
{
    struct leading *leading = context;
    (void)dependency;
    leading->is_so = leading->is_so || provider == leading->to;
}

static bool leads(Pool *pool, Id id, Id key, Id to)
{
    struct leading leading = {.to = to};
    rpm_pool_each_provider(pool, id, key, take_provider, &leading);
    return leading.is_so;
}

static int compare_siblings(const void *a, const void *b)
{
    const struct sibling *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* Lists the newest packages of the source. With the lock. */
static bool find_siblings(struct asking *asking, struct err *err)
{
    Pool *pool = asking->catalog->pool;
    Id id;
    if (!(asking->given = rpm_pool_find_newest(pool, asking->package))) {
        AUTO(arena_done) struct arena scratch = {0};
        err_set(err, ERR_RESOLVE, "%s has no package %s", asking->catalog->base.origins.source->name,
                text_printable(&scratch, text_of(asking->package)));
        return false;
    }
    const char *source = arena_strdup(asking->arena, rpm_pool_source(pool, asking->given));
    FOR_POOL_SOLVABLES(id)
    {
        const char *name = pool_id2str(pool, pool_id2solvable(pool, id)->name);
        if (!rpm_pool_is_offered(pool, id) || strcmp(rpm_pool_source(pool, id), source) != 0 ||
            rpm_pool_find_newest(pool, name) != id)
            continue;
        bool is_given = id == asking->given;
        list_add(asking->arena, &asking->found,
                 (struct sibling){.name = arena_strdup(asking->arena, name),
                                  .is_given = is_given,
                                  .is_dependent = !is_given && leads(pool, id, SOLVABLE_REQUIRES, asking->given),
                                  .is_needed = !is_given && leads(pool, asking->given, SOLVABLE_REQUIRES, id),
                                  .is_recommended = !is_given && leads(pool, asking->given, SOLVABLE_RECOMMENDS, id),
                                  .is_for_all = pool_id2solvable(pool, id)->arch == ARCH_NOARCH});
        if (asking->found.count > SIBLINGS_MAX) {
            err_set(err, ERR_MALFORMED, "%s: more than %d packages are built of one source package with it",
                    asking->package, SIBLINGS_MAX);
            return false;
        }
    }
    if (asking->found.count)
        qsort(asking->found.items, asking->found.count, sizeof *asking->found.items, compare_siblings);
    return true;
}

/* Whether what went wrong with filelists leaves the answer without them: they cannot be had now. */
static bool is_unknown(struct err *err)
{
    bool is_fine = err->kind == ERR_RESOLVE || err->kind == ERR_NETWORK || err->kind == ERR_TRUST;
    if (is_fine)
        err_clear(err);
    return is_fine;
}

/* Whether all repositories have filelists. */
static bool is_all_told(const struct rpm_catalog *catalog)
{
    for (size_t i = 0; i < catalog->repos.count; i++) {
        if (!catalog->repos.items[i].has_filelists)
            return false;
    }
    return true;
}

bool rpm_catalog_siblings(struct catalog *any, struct arena *arena, const char *package, struct siblings *ret_siblings,
                          struct err *err)
{
    struct rpm_catalog *catalog = rpm_catalog_of(any);
    struct asking asking = {.catalog = catalog, .arena = arena, .package = package};
    pthread_mutex_lock(catalog->lock);
    bool is_found = find_siblings(&asking, err);
    pthread_mutex_unlock(catalog->lock);
    if (!is_found)
        return false;
    *ret_siblings = asking.found;
    if (!rpm_filelists_load(catalog, false, err))
        return is_unknown(err);
    pthread_mutex_lock(catalog->lock);
    for (size_t i = 0; i < asking.found.count; i++) {
        struct sibling *sibling = &asking.found.items[i];
        rpm_filelists_services(catalog, arena, sibling->name, &sibling->services);
        sibling->holds = sibling->services.count ? SIBLING_HAS_SERVICE
                         : is_all_told(catalog)  ? SIBLING_HAS_NONE
                                                 : SIBLING_UNKNOWN;
    }
    pthread_mutex_unlock(catalog->lock);
    return true;
}

/* A list of names that grows by what meets a dependency. */
struct listing {
    Pool *pool;
    struct arena *arena;
    struct strings *names;
    Id of; /* the package itself */
};

static void take_name(void *context, Id dependency, Id provider)
{
    const struct listing *listing = context;
    const char *name = pool_id2str(listing->pool, pool_id2solvable(listing->pool, provider)->name);
    (void)dependency;
    if (provider != listing->of && listing->names->count < DEPENDS_MAX && !strings_has(listing->names, name))
        list_add(listing->arena, listing->names, arena_strdup(listing->arena, name));
}

bool rpm_catalog_describe(const struct catalog *any, struct arena *arena, const char *package,
                          struct catalog_package *ret_package, bool *ret_found, struct err *err)
{
    const struct rpm_catalog *catalog = rpm_catalog_of_const(any);
    Pool *pool = catalog->pool;
    (void)err;
    pthread_mutex_lock(catalog->lock);
    Id id = rpm_pool_find_newest(pool, package);
    *ret_found = id != 0;
    if (id) {
        const Solvable *item = pool_id2solvable(pool, id);
        *ret_package = (struct catalog_package){.version = arena_strdup(arena, pool_id2str(pool, item->evr)),
                                                .architecture = arena_strdup(arena, pool_id2str(pool, item->arch)),
                                                .source = arena_strdup(arena, rpm_pool_source(pool, id))};
        struct listing depends = {pool, arena, &ret_package->depends, id};
        struct listing recommends = {pool, arena, &ret_package->recommends, id};
        rpm_pool_each_provider(pool, id, SOLVABLE_REQUIRES, take_name, &depends);
        rpm_pool_each_provider(pool, id, SOLVABLE_RECOMMENDS, take_name, &recommends);
    }
    pthread_mutex_unlock(catalog->lock);
    return true;
}
