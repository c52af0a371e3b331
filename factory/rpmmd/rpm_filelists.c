/* SPDX-License-Identifier: Apache-2.0 */
/* Filelists: paths that primary.xml does not have. They become tables (contents.h) of the paths that programs and
 * libraries live in, and of those that packages depend on; other paths are looked for by reading all filelists. The
 * owners in a table are "NAME=PKGID", so that versions of a package are told apart. */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "base/checksum.h"
#include "base/each.h"
#include "rpmmd/rpm_arch.h"
#include "rpmmd/xml_stream.h"

#define NAME_MAX_BYTES 255u
#define PKGID_LEN 16u /* of the hex digits; enough to tell versions apart, the checksum itself is in primary.xml */

/* Calls take() with each path of a package that is wanted. */
struct filelists {
    const struct rpm_catalog_repo *repo;
    bool (*take)(struct filelists *filelists, struct text path, bool is_file, struct err *err);
    char owner[NAME_MAX_BYTES + PKGID_LEN + 2]; /* "NAME=PKGID" of the package that is read; empty: passed over */
    bool is_file;
    struct contents_builder *builder; /* of a table … */
    const struct map *wanted;         /* … with these paths too: canonical → anything */
    const char *path;                 /* canonical: of a search … */
    struct arena *arena;
    struct strings owners;           /* … that fills this */
    const struct catalog_scan *scan; /* of a scan */
    bool is_known, is_wanted;        /* whether the package that is read is the one that would be installed */
    bool is_ended;                   /* no more is wanted */
    struct buf line;
};

static bool is_sane(const char *word)
{
    return word && *word && strlen(word) <= NAME_MAX_BYTES && !strpbrk(word, "/, \t\n=");
}

static bool begin(struct xml_stream *xml, const char *element, const char **attributes)
{
    struct filelists *filelists = xml->user;
    if (xml->depth == 1)
        return strcmp(element, "filelists") == 0 || xml_stream_fail(xml, "this is not a filelists.xml");
    if (xml->depth == 2) {
        const char *name = xml_stream_attribute(attributes, "name"), *pkgid = xml_stream_attribute(attributes, "pkgid");
        if (!is_sane(name) || !is_sane(pkgid) || strlen(pkgid) < PKGID_LEN)
            return xml_stream_fail(xml, "a package without a proper name and pkgid");
        filelists->is_known = false;
        (void)snprintf(filelists->owner, sizeof filelists->owner, "%s=%.*s", name, (int)PKGID_LEN, pkgid);
    } else if (xml->depth == 3 && strcmp(element, "file") == 0) {
        xml->is_text_wanted = true;
        filelists->is_file = !xml_stream_attribute(attributes, "type");
    }
    return true;
}

static bool has_control(struct text path)
{
    for (size_t i = 0; i < path.len; i++) {
        if ((unsigned char)path.ptr[i] < 0x20)
            return true;
    }
    return false;
}

static bool end(struct xml_stream *xml, const char *element, struct text content)
{
    struct filelists *filelists = xml->user;
    if (xml->depth != 3 || strcmp(element, "file") != 0 || content.len < 2 || content.ptr[0] != '/' ||
        has_control(content))
        return true;
    return filelists->take(filelists, (struct text){content.ptr + 1, content.len - 1}, filelists->is_file, xml->err);
}

/* Feeds the table's builder a line "PATH OWNER". */
static bool take_for_table(struct filelists *filelists, struct text path, bool is_file, struct err *err)
{
    bool is_kept = (is_file && contents_keeps(path)) || map_get(filelists->wanted, path);
    filelists->line.len = 0;
    if (!is_kept)
        return true;
    if (!buf_printf(&filelists->line, "%.*s %s\n", (int)path.len, path.ptr, filelists->owner))
        return true; /* longer than any path can be */
    return contents_feed(&filelists->builder->reader, (struct text){filelists->line.bytes, filelists->line.len}, err);
}

static bool take_for_search(struct filelists *filelists, struct text path, bool is_file, struct err *err)
{
    (void)err;
    const char *base = strrchr(filelists->path, '/');
    if (!is_file || !text_has_suffix(path, base ? base : filelists->path))
        return true;
    AUTO(arena_done) struct arena scratch = {0};
    if (strcmp(contents_canonical(&scratch, text_dup(&scratch, path)), filelists->path) == 0 &&
        !strings_has(&filelists->owners, filelists->owner))
        list_add(filelists->arena, &filelists->owners, arena_strdup(filelists->arena, filelists->owner));
    return true;
}

/* Filelists on their way. */
struct reading {
    struct rpm_catalog_repo *repo;
    struct filelists filelists;
    struct buf plain;
};

/* Gets the plain bytes; *ret_found is false when the repository has none. */
static bool get_plain(struct reading *reading, bool *ret_found, struct err *err)
{
    struct rpm_catalog_repo *repo = reading->repo;
    if (repo->texts) {
        const char *text = repo->texts->filelists;
        buf_init(&reading->plain, SIZE_MAX / 2);
        if (text && !buf_add(&reading->plain, text, strlen(text)))
            memory_abort(strlen(text));
        *ret_found = text != NULL;
        return true;
    }
    const struct rpm_metadata_file *file = rpm_metadata_find(repo->metadata, "filelists");
    *ret_found = file != NULL;
    return !file || rpm_metadata_fetch(repo->catalog->env, repo->metadata, file, &reading->plain, err);
}

static bool read_plain(void *argument, struct err *err)
{
    struct reading *reading = argument;
    AUTO(arena_done) struct arena scratch = {0};
    struct xml_stream xml = {.name = arena_printf(&scratch, "filelists.xml of %s", reading->repo->repository->id),
                             .begin = begin,
                             .end = end,
                             .user = &reading->filelists};
    buf_init(&reading->filelists.line, XML_STREAM_TEXT_MAX);
    reading->filelists.repo = reading->repo;
    bool is_read =
        xml_stream_read(&xml, COMPRESSION_NONE, (struct text){reading->plain.bytes, reading->plain.len}, err);
    buf_done(&reading->filelists.line);
    return is_read;
}

/* Names the table: what it is made of, and the paths in it that depend on other repositories too. */
static struct digest table_key(const struct rpm_metadata_file *file, const struct map *wanted)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, RPM_FILELISTS_FORMAT, sizeof RPM_FILELISTS_FORMAT);
    digest_feed(&stream, CONTENTS_FORMAT, sizeof CONTENTS_FORMAT);
    digest_feed(&stream, file->checksum.bytes, checksum_len(file->checksum.kind));
    for (size_t i = 0; i < wanted->slots.count; i++)
        digest_feed(&stream, wanted->slots.items[i].key.ptr, wanted->slots.items[i].key.len + 1);
    return digest_end(&stream);
}

static bool map_table(struct rpm_catalog_repo *repo, const struct digest *key, bool *ret_found, struct err *err)
{
    struct store *store = repo->catalog->env->store;
    if (!store_map_derived(store, "rpm-filelists", key, &repo->files_view, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    repo->has_filelists = contents_open((struct text){repo->files_view.ptr, repo->files_view.len}, &repo->files);
    if (!repo->has_filelists) {
        view_done(&repo->files_view);
        store_drop_derived(store, "rpm-filelists", key);
        *ret_found = false;
    }
    return true;
}

static bool store_table(const struct rpm_catalog_repo *repo, const struct digest *key, struct err *err)
{
    AUTO(blob_abandon) struct blob blob = {0};
    return blob_begin(repo->catalog->env->store, &blob, err) &&
           blob_write(&blob, repo->files_bytes.bytes, repo->files_bytes.len, err) &&
           blob_commit_derived(&blob, "rpm-filelists", key, err);
}

/* What is wanted of all repositories. */
struct loading {
    struct rpm_catalog_repo *repo;
    const struct map *wanted;
};

/* Reads in its own thread and asks no worker: solvers wait for the tables on workers, perhaps on all of them. */
static bool make_table(struct loading *loading, struct err *err)
{
    AUTO(contents_builder_done) struct contents_builder builder;
    struct rpm_catalog_repo *repo = loading->repo;
    struct reading reading = {.repo = repo,
                              .filelists = {.take = take_for_table, .builder = &builder, .wanted = loading->wanted}};
    contents_builder_begin(&builder, repo->repository->id);
    builder.keeps_all = true;
    bool is_found = false;
    if (!get_plain(&reading, &is_found, err))
        return false;
    if (!is_found)
        return true;
    bool is_read = read_plain(&reading, err);
    buf_done(&reading.plain);
    if (!is_read || !contents_builder_end(&builder, &repo->files_bytes, err))
        return false;
    repo->has_filelists = contents_open((struct text){repo->files_bytes.bytes, repo->files_bytes.len}, &repo->files);
    return true;
}

static bool load_one(void *context, void *item, struct err *err)
{
    struct loading *loading = item;
    (void)context;
    struct rpm_catalog_repo *repo = loading->repo;
    const struct rpm_metadata_file *file = repo->metadata ? rpm_metadata_find(repo->metadata, "filelists") : NULL;
    bool is_found = false;
    if (!file)
        return make_table(loading, err);
    struct digest key = table_key(file, loading->wanted);
    return map_table(repo, &key, &is_found, err) &&
           (is_found || (make_table(loading, err) && store_table(repo, &key, err)));
}

/* The paths that packages depend on, as filelists may have them. */
static void list_wanted(const struct rpm_catalog *catalog, struct arena *arena, struct map *wanted)
{
    for (int i = 0; i < catalog->missing.count; i++) {
        const char *path = pool_id2str(catalog->pool, catalog->missing.elements[i]);
        const char *canonical = contents_canonical(arena, path);
        (void)map_add(wanted, text_of(arena_strdup(arena, path + 1)), wanted);
        (void)map_add(wanted, text_of(canonical), wanted);
    }
}

/* Finds the package of a "NAME=PKGID" in its repository; 0 when it is not offered. With the lock. */
static Id find_owner(const struct rpm_catalog_repo *repo, const char *owner)
{
    Pool *pool = repo->catalog->pool;
    const char *equals = strchr(owner, '=');
    Id name = equals ? pool_strn2id(pool, owner, (unsigned int)(equals - owner), 0) : 0, id, at, type;
    if (!name)
        return 0;
    FOR_PROVIDES(id, at, name)
    {
        Solvable *item = pool_id2solvable(pool, id);
        const char *hex = item->repo == repo->repo && item->name == name
                              ? solvable_lookup_checksum(item, SOLVABLE_CHECKSUM, &type)
                              : NULL;
        if (hex && strncmp(hex, equals + 1, PKGID_LEN) == 0)
            return id;
    }
    return 0;
}

static void add_owners(const struct rpm_catalog_repo *repo, const struct strings *owners, Queue *ids)
{
    for (size_t i = 0; i < owners->count; i++) {
        Id id = find_owner(repo, owners->items[i]);
        if (id)
            queue_pushunique(ids, id);
    }
}

/* Makes packages provide the paths that others depend on. With the lock. */
static void add_provides(struct rpm_catalog *catalog)
{
    AUTO(arena_done) struct arena scratch = {0};
    Queue ids;
    queue_init(&ids);
    for (int k = 0; k < catalog->missing.count; k++) {
        Id path = catalog->missing.elements[k];
        const char *canonical = contents_canonical(&scratch, pool_id2str(catalog->pool, path));
        queue_empty(&ids);
        for (size_t i = 0; i < catalog->repos.count; i++) {
            const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
            struct strings owners = {0};
            if (repo->has_filelists)
                contents_find(&repo->files, &scratch, canonical, &owners);
            add_owners(repo, &owners, &ids);
        }
        for (int i = 0; i < ids.count; i++)
            solvable_add_deparray(pool_id2solvable(catalog->pool, ids.elements[i]), SOLVABLE_PROVIDES, path, 1);
    }
    queue_free(&ids);
    catalog->has_all_files = true;
    rpm_pool_settle(catalog);
}

struct loading_all {
    struct rpm_catalog *catalog;
    bool is_on_worker;
};

/* flight_make: loads all tables. */
static bool load_all(void *argument, void **ret_result, struct err *err)
{
    const struct loading_all *all = argument;
    struct rpm_catalog *catalog = all->catalog;
    AUTO(arena_done) struct arena scratch = {0};
    struct map wanted = {.arena = &scratch};
    size_t count = catalog->repos.count;
    struct loading *loadings = arena_new_array(&scratch, struct loading, count);
    struct each_items items = {
        .items = loadings, .count = count, .each_bytes = sizeof *loadings, .threads_max = all->is_on_worker ? 1 : 0};
    pthread_mutex_lock(catalog->lock);
    list_wanted(catalog, &scratch, &wanted);
    pthread_mutex_unlock(catalog->lock);
    for (size_t i = 0; i < count; i++)
        loadings[i] = (struct loading){.repo = &catalog->repos.items[i], .wanted = &wanted};
    if (!each_run(items, load_one, NULL, err))
        return false;
    pthread_mutex_lock(catalog->lock);
    add_provides(catalog);
    pthread_mutex_unlock(catalog->lock);
    *ret_result = catalog;
    return true;
}

bool rpm_filelists_load(struct rpm_catalog *catalog, bool is_on_worker, struct err *err)
{
    struct loading_all all = {catalog, is_on_worker};
    void *result;
    return flight_get(catalog->flight, "filelists", load_all, &all, &result, err);
}

/* Reads all filelists for one path. */
static bool search(struct rpm_catalog *catalog, const char *path, bool is_on_worker, Queue *ids, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < catalog->repos.count; i++) {
        struct reading reading = {.repo = &catalog->repos.items[i],
                                  .filelists = {.take = take_for_search, .path = path, .arena = &scratch}};
        bool is_found = false, is_good = get_plain(&reading, &is_found, err);
        if (is_good && is_found)
            is_good = catalog->workers && !is_on_worker ? workers_call(catalog->workers, read_plain, &reading, err)
                                                        : read_plain(&reading, err);
        buf_done(&reading.plain);
        if (!is_good)
            return false;
        pthread_mutex_lock(catalog->lock);
        add_owners(reading.repo, &reading.filelists.owners, ids);
        pthread_mutex_unlock(catalog->lock);
    }
    return true;
}

/* Fails when no repository has filelists. */
static bool fail_no_filelists(const struct rpm_catalog *catalog, const char *what, struct err *err)
{
    err_set(err, ERR_RESOLVE,
            "which package ships %s? No repository of %s has filelists for %s; name the package in the manifest "
            "under packages: first",
            what, catalog->base.origins.source->name, rpm_arch(catalog->base.arch));
    return false;
}

bool rpm_filelists_find(struct rpm_catalog *catalog, const char *path, bool is_on_worker, Queue *ids, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    size_t table_count = 0;
    if (!rpm_filelists_load(catalog, is_on_worker, err))
        return false;
    pthread_mutex_lock(catalog->lock);
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        struct strings owners = {0};
        table_count += repo->has_filelists;
        if (repo->has_filelists)
            contents_find(&repo->files, &scratch, path, &owners);
        add_owners(repo, &owners, ids);
    }
    pthread_mutex_unlock(catalog->lock);
    if (!table_count)
        return fail_no_filelists(catalog, arena_printf(&scratch, "/%s", path), err);
    return ids->count || contents_keeps(text_of(path)) || search(catalog, path, is_on_worker, ids, err);
}

/* Whether the package that is read is offered and the newest of its name, and asked for. */
static bool is_wanted(const struct filelists *filelists)
{
    struct rpm_catalog *catalog = filelists->repo->catalog;
    const char *wanted = filelists->scan->package, *equals = strchr(filelists->owner, '=');
    if (wanted && (strlen(wanted) != (size_t)(equals - filelists->owner) ||
                   strncmp(filelists->owner, wanted, strlen(wanted)) != 0))
        return false;
    pthread_mutex_lock(catalog->lock);
    Id id = find_owner(filelists->repo, filelists->owner);
    bool is_newest = id && rpm_pool_is_offered(catalog->pool, id) && rpm_pool_is_newest(catalog->pool, id);
    pthread_mutex_unlock(catalog->lock);
    return is_newest;
}

static bool take_for_scan(struct filelists *filelists, struct text path, bool is_file, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    (void)err;
    if (!filelists->is_known)
        filelists->is_wanted = is_wanted(filelists);
    filelists->is_known = true;
    if (!is_file || !filelists->is_wanted || filelists->is_ended)
        return true;
    const char *whole = arena_printf(&scratch, "/%s", contents_canonical(&scratch, text_dup(&scratch, path)));
    struct text name = {filelists->owner, (size_t)(strchr(filelists->owner, '=') - filelists->owner)};
    filelists->is_ended = !filelists->scan->take(filelists->scan->taker, text_of(whole), name);
    return true;
}

bool rpm_catalog_scan(struct catalog *any, const struct catalog_scan *scan, struct err *err)
{
    struct rpm_catalog *catalog = rpm_catalog_of(any);
    size_t count = 0;
    bool is_ended = false;
    for (size_t i = 0; i < catalog->repos.count && !is_ended; i++) {
        struct reading reading = {.repo = &catalog->repos.items[i], .filelists = {.take = take_for_scan, .scan = scan}};
        bool is_found = false, is_good = get_plain(&reading, &is_found, err);
        if (is_good && is_found)
            is_good = catalog->workers ? workers_call(catalog->workers, read_plain, &reading, err)
                                       : read_plain(&reading, err);
        buf_done(&reading.plain);
        if (!is_good)
            return false;
        count += is_found;
        is_ended = reading.filelists.is_ended;
    }
    return count || fail_no_filelists(catalog, "a path", err);
}

void rpm_filelists_hint(const struct rpm_catalog *catalog, struct arena *arena, const char *path, size_t most,
                        struct strings *hints)
{
    struct strings found = {0};
    for (size_t i = 0; catalog->has_all_files && i < catalog->repos.count; i++) { /* else they may be being loaded */
        if (catalog->repos.items[i].has_filelists)
            contents_find_alike(&catalog->repos.items[i].files, arena, path, most, &found);
    }
    for (size_t i = 0; i < found.count && hints->count < most; i++) {
        const char *equals = strrchr(found.items[i], '=');
        const char *hint =
            arena_strndup(arena, found.items[i], equals ? (size_t)(equals - found.items[i]) : strlen(found.items[i]));
        if (!strings_has(hints, hint))
            list_add(arena, hints, hint);
    }
}

void rpm_filelists_services(const struct rpm_catalog *catalog, struct arena *arena, const char *package,
                            struct strings *paths)
{
    struct strings found = {0};
    for (size_t i = 0; i < catalog->repos.count; i++) {
        if (catalog->repos.items[i].has_filelists)
            contents_services(&catalog->repos.items[i].files, arena, package, &found);
    }
    for (size_t i = 0; i < found.count; i++)
        list_add(arena, paths, arena_printf(arena, "/%s", found.items[i]));
}

static void take_place(void *taker, const struct contents_place *place)
{
    struct text owners = text_of(place->owners);
    for (struct text owner; text_next(&owners, ',', &owner);) {
        const char *equals = memchr(owner.ptr, '=', owner.len);
        locate_add(taker, place->dir, (struct text){owner.ptr, equals ? (size_t)(equals - owner.ptr) : owner.len});
    }
}

void rpm_filelists_locate(const struct rpm_catalog *catalog, struct locate *locate)
{
    for (size_t i = 0; i < catalog->repos.count; i++) {
        if (catalog->repos.items[i].has_filelists)
            contents_each(&catalog->repos.items[i].files, locate->base, take_place, locate);
    }
}

void rpm_filelists_close(struct rpm_catalog *catalog)
{
    for (size_t i = 0; i < catalog->repos.count; i++) {
        view_done(&catalog->repos.items[i].files_view);
        buf_done(&catalog->repos.items[i].files_bytes);
    }
}
