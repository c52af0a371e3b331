/* SPDX-License-Identifier: Apache-2.0 */
/* Who ships a path: primary.xml's files first, filelists only for what primary.xml does not have. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "rpmmd/rpm_primary.h"

#define HINTS_MAX 3

/* Whether the path stands among a package's files without being one (a directory, %ghost). */
static bool is_no_file(Pool *pool, Id id, const char *path)
{
    Id key = pool_str2id(pool, RPM_PRIMARY_NO_FILES, 0), wanted = pool_str2id(pool, path, 0);
    bool is_one = false;
    Queue ids;
    if (!key || !wanted)
        return false;
    queue_init(&ids);
    (void)solvable_lookup_idarray(pool_id2solvable(pool, id), key, &ids);
    for (int i = 0; !is_one && i < ids.count; i++)
        is_one = ids.elements[i] == wanted;
    queue_free(&ids);
    return is_one;
}

/* Adds the packages whose primary.xml lists the path as it is written here. With the lock. */
static void find_in_primary(Pool *pool, const char *path, Queue *ids)
{
    Dataiterator found;
    dataiterator_init(&found, pool, NULL, 0, SOLVABLE_FILELIST, path, SEARCH_STRING | SEARCH_FILES);
    while (dataiterator_step(&found)) {
        if (rpm_pool_is_offered(pool, found.solvid) && !is_no_file(pool, found.solvid, path))
            queue_pushunique(ids, found.solvid);
    }
    dataiterator_free(&found);
}

/* A canonical path ("usr/sbin/x") and how packages may have written it. */
static void find_spellings(Pool *pool, struct arena *arena, const char *path, Queue *ids)
{
    find_in_primary(pool, arena_printf(arena, "/%s", path), ids);
    if (strncmp(path, "usr/", 4) == 0 && strcmp(contents_canonical(arena, path + 4), path) == 0)
        find_in_primary(pool, arena_printf(arena, "/%s", path + 4), ids);
}

static bool find_ids(struct rpm_catalog *catalog, struct arena *arena, const char *path, bool is_on_worker, Queue *ids,
                     struct err *err)
{
    bool is_in_primary = rpm_pool_has_path(arena_printf(arena, "/%s", path));
    pthread_mutex_lock(catalog->lock);
    find_spellings(catalog->pool, arena, path, ids);
    pthread_mutex_unlock(catalog->lock);
    return ids->count || is_in_primary || rpm_filelists_find(catalog, path, is_on_worker, ids, err);
}

/* Where /usr/sbin is a link to bin (Fedora 42), packages list one for the other. NULL when the path is elsewhere. */
static const char *other_bin(struct arena *arena, const char *path)
{
    if (strncmp(path, "usr/sbin/", 9) == 0)
        return arena_printf(arena, "usr/bin/%s", path + 9);
    if (strncmp(path, "usr/bin/", 8) == 0)
        return arena_printf(arena, "usr/sbin/%s", path + 8);
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the packages, those of which nothing better is there. With the lock. */
static void read_names(Pool *pool, struct arena *arena, const Queue *ids, struct strings *names)
{
    for (int i = 0; i < ids->count; i++) {
        const char *name = pool_id2str(pool, pool_id2solvable(pool, ids->elements[i])->name);
        if (rpm_pool_is_newest(pool, ids->elements[i]) && !strings_has(names, name))
            list_add(arena, names, arena_strdup(arena, name));
    }
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
}

/* "/usr/bin/x is in y", for files of the same name. */
static const char *find_hint(const struct rpm_catalog *catalog, struct arena *arena, const char *path)
{
    Pool *pool = catalog->pool;
    const char *slash = strrchr(path, '/');
    struct strings hints = {0};
    Dataiterator found;
    pthread_mutex_lock(catalog->lock);
    dataiterator_init(&found, pool, NULL, 0, SOLVABLE_FILELIST, slash ? slash + 1 : path, SEARCH_STRING);
    while (hints.count < HINTS_MAX && dataiterator_step(&found)) {
        const char *there = repodata_dir2str(found.data, found.kv.id, found.kv.str);
        const char *name = pool_id2str(pool, pool_id2solvable(pool, found.solvid)->name);
        const char *hint = arena_printf(arena, "%s is in %s", there, name);
        if (rpm_pool_is_offered(pool, found.solvid) && !strings_has(&hints, hint))
            list_add(arena, &hints, hint);
    }
    dataiterator_free(&found);
    rpm_filelists_hint(catalog, arena, path, HINTS_MAX, &hints);
    pthread_mutex_unlock(catalog->lock);
    return hints.count ? strings_join(arena, &hints, "; ") : NULL;
}

bool rpm_owners_find(struct rpm_catalog *catalog, struct arena *arena, const char *path, bool is_on_worker,
                     struct strings *ret_names, struct err *err)
{
    const char *wanted = contents_canonical(arena, path), *other = other_bin(arena, wanted);
    struct strings names = {0};
    Queue ids;
    queue_init(&ids);
    bool is_good = find_ids(catalog, arena, wanted, is_on_worker, &ids, err) &&
                   (ids.count || !other || find_ids(catalog, arena, other, is_on_worker, &ids, err));
    if (is_good) {
        pthread_mutex_lock(catalog->lock);
        read_names(catalog->pool, arena, &ids, &names);
        pthread_mutex_unlock(catalog->lock);
        *ret_names = names;
    }
    queue_free(&ids);
    return is_good;
}

bool rpm_catalog_owners(struct catalog *any, struct arena *arena, const char *path, struct strings *ret_names,
                        const char **ret_hint, struct err *err)
{
    struct rpm_catalog *catalog = rpm_catalog_of(any);
    struct strings names;
    if (!rpm_owners_find(catalog, arena, path, false, &names, err))
        return false;
    if (ret_hint)
        *ret_hint = names.count ? NULL : find_hint(catalog, arena, contents_canonical(arena, path));
    *ret_names = names;
    return true;
}

/* Adds what primary.xml has: programs, and init scripts. With the lock. */
static void locate_in_primary(Pool *pool, struct arena *arena, struct locate *locate)
{
    Dataiterator found;
    dataiterator_init(&found, pool, NULL, 0, SOLVABLE_FILELIST, locate->base, SEARCH_STRING);
    while (dataiterator_step(&found)) {
        const char *path = arena_strdup(arena, repodata_dir2str(found.data, found.kv.id, found.kv.str));
        if (!rpm_pool_is_offered(pool, found.solvid) || !rpm_pool_is_newest(pool, found.solvid) ||
            is_no_file(pool, found.solvid, path))
            continue;
        const char *canonical = contents_canonical(arena, path), *slash = strrchr(canonical, '/');
        if (slash)
            locate_add(locate, arena_strndup(arena, canonical, (size_t)(slash - canonical)),
                       text_of(pool_id2str(pool, pool_id2solvable(pool, found.solvid)->name)));
    }
    dataiterator_free(&found);
}

static bool is_offered(const void *context, const char *package)
{
    return rpm_catalog_has(context, package, false);
}

bool rpm_catalog_locate(struct catalog *any, struct arena *arena, const char *base, enum located_kind kind,
                        struct locations *ret_locations, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct rpm_catalog *catalog = rpm_catalog_of(any);
    struct locate locate = {.arena = arena, .base = base, .kind = kind};
    pthread_mutex_lock(catalog->lock);
    locate_in_primary(catalog->pool, &scratch, &locate);
    pthread_mutex_unlock(catalog->lock);
    if (!locate.found.count) {
        if (!rpm_filelists_load(catalog, false, err))
            return false;
        pthread_mutex_lock(catalog->lock);
        rpm_filelists_locate(catalog, &locate);
        pthread_mutex_unlock(catalog->lock);
    }
    locate_settle(&locate, is_offered, any);
    *ret_locations = locate.found;
    return true;
}
