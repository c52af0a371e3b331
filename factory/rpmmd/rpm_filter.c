/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration and modules leave out of a Pool. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "base/map.h"
#include "rpmmd/rpm_pattern.h"

/* Marks the packages of all repositories that a pattern names, in the first form that names any. */
static void mark(Pool *pool, const char *text, Map *named)
{
    AUTO(arena_done) struct arena scratch = {0};
    bool is_found = false;
    for (int form = 0; !is_found && form < RPM_PATTERN_FORMS; form++) {
        struct rpm_pattern pattern;
        Id id;
        if (!rpm_pattern_read(&scratch, text, form, &pattern))
            continue;
        FOR_POOL_SOLVABLES(id)
        {
            if (!rpm_pattern_matches(pool, pool_id2solvable(pool, id), &pattern))
                continue;
            solv_map_set(named, id);
            is_found = true;
        }
    }
}

static void mark_all(Pool *pool, const struct strings *patterns, Map *named)
{
    map_init(named, pool->nsolvables);
    for (size_t i = 0; i < patterns->count; i++)
        mark(pool, patterns->items[i], named);
}

/* Leaves out what one repository leaves out itself, or does not include; `included` are those of all repositories. */
static void filter_repository(Pool *pool, const struct rpm_catalog_repo *each, const Map *included, Map *considered)
{
    const struct strings *excludes = &each->repository->exclude_pkgs, *includes = &each->repository->include_pkgs;
    AUTO(map_free) Map own_excluded, own_included;
    Id id;
    Solvable *item;
    mark_all(pool, excludes, &own_excluded);
    mark_all(pool, includes, &own_included);
    FOR_REPO_SOLVABLES(each->repo, id, item)
    {
        (void)item;
        bool is_included = (included && MAPTST(included, id)) || MAPTST(&own_included, id);
        if (MAPTST(&own_excluded, id) || ((included || includes->count) && !is_included))
            map_clr(considered, id);
    }
}

void rpm_filter_packages(struct rpm_catalog *catalog, Map *considered)
{
    const struct rpm_source *source = rpm_source_of(catalog->base.origins.source);
    AUTO(map_free) Map excluded, included;
    mark_all(catalog->pool, &source->exclude_pkgs, &excluded);
    mark_all(catalog->pool, &source->include_pkgs, &included);
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *each = &catalog->repos.items[i];
        if (source->include_pkgs.count || each->repository->exclude_pkgs.count || each->repository->include_pkgs.count)
            filter_repository(catalog->pool, each, source->include_pkgs.count ? &included : NULL, considered);
    }
    map_subtract(considered, &excluded);
}

/* The packages that streams list. */
struct listing {
    struct map included, excluded; /* "NAME-EPOCH:VERSION-RELEASE.ARCH" → anything */
    struct map names;              /* of included ones */
};

/* The name in "NAME-EPOCH:VERSION-RELEASE.ARCH"; empty for source packages and what is not such a thing. */
static struct text name_of_artifact(const char *artifact)
{
    const char *dot = strrchr(artifact, '.');
    if (!dot || strcmp(dot, ".src") == 0 || strcmp(dot, ".nosrc") == 0)
        return TEXT("");
    const char *release = memrchr(artifact, '-', (size_t)(dot - artifact));
    const char *version = release ? memrchr(artifact, '-', (size_t)(release - artifact)) : NULL;
    return version ? (struct text){artifact, (size_t)(version - artifact)} : TEXT("");
}

static void list_artifacts(const struct rpm_modules *modules, struct listing *listing)
{
    for (size_t i = 0; i < modules->streams.count; i++) {
        const struct rpm_module_stream *stream = &modules->streams.items[i];
        for (size_t k = 0; k < stream->artifacts.count; k++) {
            struct text artifact = text_of(stream->artifacts.items[k]), name;
            (void)map_add(stream->is_active ? &listing->included : &listing->excluded, artifact, (void *)modules);
            name = name_of_artifact(artifact.ptr);
            if (stream->is_active && name.len)
                (void)map_add(&listing->names, name, (void *)modules);
        }
    }
}

static struct text nevra(const Pool *pool, const Solvable *item, struct buf *scratch)
{
    const char *evr = pool_id2str(pool, item->evr);
    scratch->len = 0;
    if (!buf_printf(scratch, "%s-%s%s.%s", pool_id2str(pool, item->name), strchr(evr, ':') ? "" : "0:", evr,
                    pool_id2str(pool, item->arch)))
        return TEXT("");
    return (struct text){scratch->bytes, scratch->len};
}

static bool is_hotfix(const struct rpm_catalog *catalog, Id id)
{
    return rpm_pool_repo(catalog, id)->repository->has_module_hotfixes;
}

void rpm_filter_modules(struct rpm_catalog *catalog, const struct rpm_modules *modules, Map *considered)
{
    Pool *pool = catalog->pool;
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf text;
    buf_init(&text, 4096);
    struct listing listing = {{.arena = &scratch}, {.arena = &scratch}, {.arena = &scratch}};
    list_artifacts(modules, &listing);
    Map included;
    map_init(&included, pool->nsolvables);
    Id id, at;
    FOR_POOL_SOLVABLES(id)
    {
        const Solvable *item = pool_id2solvable(pool, id);
        struct text name = nevra(pool, item, &text);
        if (map_get(&listing.included, name))
            solv_map_set(&included, id);
        else if (!is_hotfix(catalog, id) && map_get(&listing.excluded, name))
            map_clr(considered, id);
    }
    for (size_t i = 0; i < listing.names.slots.count; i++) {
        struct text name = listing.names.slots.items[i].key;
        Id dependency = pool_strn2id(pool, name.ptr, (unsigned int)name.len, 0);
        if (!dependency)
            continue;
        FOR_PROVIDES(id, at, dependency)
        {
            if (!MAPTST(&included, id) && !is_hotfix(catalog, id))
                map_clr(considered, id);
        }
    }
    map_free(&included);
}
