/* SPDX-License-Identifier: Apache-2.0 */
/* The packages of a Pool: which are there for the solver, which is the better one, what is told of them. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/checksum.h"
#include "rpmmd/rpm_href.h"
#include "trust/maker.h"

bool rpm_pool_is_offered(const Pool *pool, Id id)
{
    Solvable *item = pool_id2solvable(pool, id);
    return item->repo && pool_installable(pool, item);
}

int rpm_pool_compare(const Pool *pool, const Solvable *a, const Solvable *b)
{
    if (a->repo->priority != b->repo->priority)
        return a->repo->priority < b->repo->priority ? -1 : 1;
    return pool_evrcmp(pool, a->evr, b->evr, EVRCMP_COMPARE);
}

bool rpm_pool_is_newest(Pool *pool, Id id)
{
    const Solvable *item = pool_id2solvable(pool, id);
    Id other, at;
    FOR_PROVIDES(other, at, item->name)
    {
        const Solvable *rival = pool_id2solvable(pool, other);
        if (rival->name == item->name && rpm_pool_compare(pool, rival, item) > 0)
            return false;
    }
    return true;
}

bool rpm_pool_has_path(const char *path)
{
    return strncmp(path, "/etc/", 5) == 0 || strstr(path, "bin/") || strcmp(path, "/usr/lib/sendmail") == 0;
}

const struct rpm_catalog_repo *rpm_pool_repo(const struct rpm_catalog *catalog, Id id)
{
    return pool_id2solvable(catalog->pool, id)->repo->appdata;
}

void rpm_pool_mark_loader_configurers(Pool *pool, const Map *among, Map *ret_marked, Queue *ids)
{
    for (Id id = 1; id < pool->nsolvables; id++) {
        if (!MAPTST(among, id) || MAPTST(ret_marked, id))
            continue;
        Dataiterator found;
        dataiterator_init(&found, pool, NULL, id, SOLVABLE_FILELIST, "/etc/ld.so.conf.d/",
                          SEARCH_STRINGSTART | SEARCH_FILES);
        if (dataiterator_step(&found)) {
            solv_map_set(ret_marked, id);
            queue_push(ids, id);
        }
        dataiterator_free(&found);
    }
}

/* Name and version of the source package; libsolv has none where it is as the package's own, each by itself. */
static void read_source(struct arena *arena, const char *name, const char *evr, struct selected *selected)
{
    selected->source_package = selected->name;
    selected->source_version = selected->version;
    if (name)
        selected->source_package = arena_strdup(arena, name);
    if (evr)
        selected->source_version = arena_strdup(arena, evr);
}

/* The best package of that name; `item` itself when nothing is better. */
static const Solvable *find_newest(Pool *pool, const Solvable *item)
{
    const Solvable *newest = item;
    Id id, at;
    FOR_PROVIDES(id, at, item->name)
    {
        const Solvable *rival = pool_id2solvable(pool, id);
        if (rival->name == item->name && rival->repo != pool->installed && rpm_pool_compare(pool, rival, newest) > 0)
            newest = rival;
    }
    return newest;
}

/* Tells what another maker's repository has under the same name. */
static void find_other(struct arena *arena, const struct rpm_catalog *catalog, const Solvable *item,
                       struct selected *selected)
{
    Pool *pool = catalog->pool;
    const Solvable *best = NULL;
    Id id, at;
    FOR_PROVIDES(id, at, item->name)
    {
        const Solvable *rival = pool_id2solvable(pool, id);
        if (rival->name != item->name || rival->repo == pool->installed ||
            !maker_is_another(selected->origin, rpm_pool_repo(catalog, id)->origin) ||
            (best && rpm_pool_compare(pool, rival, best) <= 0))
            continue;
        best = rival;
        selected->other_origin = rpm_pool_repo(catalog, id)->origin;
    }
    if (best)
        selected->other_version = arena_strdup(arena, pool_id2str(pool, best->evr));
}

struct selected rpm_pool_selected(struct arena *arena, const struct rpm_catalog *catalog, Id id, bool is_likely)
{
    Pool *pool = catalog->pool;
    Solvable *item = pool_id2solvable(pool, id);
    struct selected selected = {.name = arena_strdup(arena, pool_id2str(pool, item->name)),
                                .version = arena_strdup(arena, pool_id2str(pool, item->evr)),
                                .architecture = arena_strdup(arena, pool_id2str(pool, item->arch)),
                                .origin = rpm_pool_repo(catalog, id)->origin,
                                .size_bytes = solvable_lookup_num(item, SOLVABLE_DOWNLOADSIZE, 0),
                                .is_likely = is_likely};
    unsigned int medium;
    const char *location = solvable_lookup_location(item, &medium);
    selected.url_path = rpm_href_url(arena, location ? location : "");
    const Solvable *newest = find_newest(pool, item);
    if (newest != item)
        selected.candidate_version = arena_strdup(arena, pool_id2str(pool, newest->evr));
    if (catalog->base.origins.count > 1)
        find_other(arena, catalog, item, &selected);
    read_source(arena, solvable_lookup_str(item, SOLVABLE_SOURCENAME), solvable_lookup_str(item, SOLVABLE_SOURCEEVR),
                &selected);
    Id type = 0;
    const unsigned char *bytes = solvable_lookup_bin_checksum(item, SOLVABLE_CHECKSUM, &type);
    if (bytes && type == REPOKEY_TYPE_SHA256) {
        memcpy(selected.digest.bytes, bytes, DIGEST_BYTES);
    } else if (bytes && type == REPOKEY_TYPE_SHA512) {
        struct checksum *sha512 = arena_new(arena, struct checksum);
        sha512->kind = CHECKSUM_SHA512;
        memcpy(sha512->bytes, bytes, sizeof sha512->bytes);
        selected.sha512 = sha512;
    }
    return selected;
}

void rpm_pool_each_provider(Pool *pool, Id id, Id key, rpm_provider_taker *take, void *context)
{
    Queue needs;
    Id provider, at;
    queue_init(&needs);
    solvable_lookup_deparray(pool_id2solvable(pool, id), key, &needs, 0);
    for (int i = 0; i < needs.count; i++) {
        FOR_PROVIDES(provider, at, needs.elements[i])
        take(context, needs.elements[i], provider);
    }
    queue_free(&needs);
}

Id rpm_pool_find_newest(Pool *pool, const char *package)
{
    Id name = pool_str2id(pool, package, 0), id, at, newest = 0;
    if (!name)
        return 0;
    FOR_PROVIDES(id, at, name)
    {
        const Solvable *item = pool_id2solvable(pool, id);
        if (item->name == name && rpm_pool_is_offered(pool, id) &&
            (!newest || rpm_pool_compare(pool, item, pool_id2solvable(pool, newest)) > 0))
            newest = id;
    }
    return newest;
}

const char *rpm_pool_source(Pool *pool, Id id)
{
    const char *source = solvable_lookup_str(pool_id2solvable(pool, id), SOLVABLE_SOURCENAME);
    return source ? source : pool_id2str(pool, pool_id2solvable(pool, id)->name);
}
