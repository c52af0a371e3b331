/* SPDX-License-Identifier: Apache-2.0 */
/* Who ships a path: the Contents side of catalog.h. Which files there are is known at once (they are part of the
 * catalog's digest); Contents-ARCH of every repository and component is loaded at the first question, and Contents-all
 * (three times its size) only when that had no answer. */
#include "deb/deb_catalog_parts.h"

#include "base/auto.h"
#include "base/each.h"
#include "deb/deb_arch.h"
#include "io/decompress.h"
#include "source/locate.h"

#define PLAIN_CAP_BYTES ((uint64_t)2 << 30)
#define HINTS_MAX 3
#define CONTENTS_KIND "contents" /* of derived files */

/* One table on its way. */
struct loading {
    struct deb_catalog *catalog;
    struct deb_contents *item;
    struct view packed;
    struct buf built;
    bool is_good;
    struct err err;
};

static bool feed(void *taker, struct text piece, struct err *err)
{
    return contents_feed(taker, piece, err);
}

/* Reads a Contents file piece by piece: its text (150 to 520 MB) is never in memory as a whole. */
static bool read_packed(const struct deb_contents *item, const struct view *packed, struct contents_reader *reader,
                        struct err *err)
{
    return decompress_pieces(compression_of_name(item->listed_name), (struct text){packed->ptr, packed->len},
                             PLAIN_CAP_BYTES, item->name, feed, reader, err);
}

static bool build(void *argument, struct err *err)
{
    struct loading *loading = argument;
    AUTO(contents_builder_done) struct contents_builder builder;
    contents_builder_begin(&builder, loading->item->name);
    builder.view = loading->item->seen.pin ? &loading->item->seen : NULL;
    return read_packed(loading->item, &loading->packed, &builder.reader, err) &&
           contents_builder_end(&builder, &loading->built, err);
}

static bool map_table(struct loading *loading, const struct digest *key, bool *ret_found)
{
    struct store *store = loading->catalog->env->store;
    struct deb_contents *item = loading->item;
    if (!store_map_derived(store, CONTENTS_KIND, key, &item->view, ret_found, &loading->err))
        return false;
    bool is_good = !*ret_found || contents_open((struct text){item->view.ptr, item->view.len}, &item->contents);
    view_give_back(&item->view); /* it was looked through; questions need little of it */
    if (is_good)
        return true;
    view_done(&item->view);
    store_drop_derived(store, CONTENTS_KIND, key);
    *ret_found = false;
    return true;
}

static bool make_table(struct loading *loading, const struct digest *key)
{
    const struct source_env *env = loading->catalog->env;
    const struct deb_contents *item = loading->item;
    if (!release_map(env, item->release, item->listed_name, item->listed, &loading->packed, &loading->err))
        return false;
    bool is_built = workers_call(loading->catalog->workers, build, loading, &loading->err);
    view_done(&loading->packed);
    AUTO(blob_abandon) struct blob blob = {0};
    return is_built && blob_begin(env->store, &blob, &loading->err) &&
           blob_write(&blob, loading->built.bytes, loading->built.len, &loading->err) &&
           blob_commit_derived(&blob, CONTENTS_KIND, key, &loading->err);
}

bool deb_catalog_has_table(const struct deb_catalog *catalog, const struct deb_contents *item)
{
    struct digest key = deb_catalog_key(CONTENTS_FORMAT, &item->listed->digest, &item->seen);
    struct store *store = catalog->env->store;
    return store_has_derived(store, CONTENTS_KIND, &key) ||
           (!item->listed->has_sha512 && store_has(store, &item->listed->digest));
}

static bool load_one(void *context, void *item, struct err *err)
{
    struct loading *loading = item;
    loading->catalog = context;
    struct digest key = deb_catalog_key(CONTENTS_FORMAT, &loading->item->listed->digest, &loading->item->seen);
    bool is_found = false;
    loading->is_good = map_table(loading, &key, &is_found);
    if (loading->is_good && !is_found) {
        loading->is_good = make_table(loading, &key) && map_table(loading, &key, &is_found);
        if (loading->is_good && !is_found) {
            err_set(&loading->err, ERR_LOCAL, "%s: its table vanished from the cache while it was made",
                    loading->item->name);
            loading->is_good = false;
        }
    }
    buf_done(&loading->built);
    if (!loading->is_good)
        *err = loading->err;
    return loading->is_good;
}

/* Adds the Contents file of one component if the Release lists it. */
static bool add_item(struct deb_contents_list *list, const struct release *release, const char *file)
{
    const char *listed_name;
    const struct release_file *listed = release_find(release, &list->arena, file, &listed_name);
    if (!listed)
        return false;
    struct deb_contents item = {.release = release,
                                .file = file,
                                .listed = listed,
                                .listed_name = listed_name,
                                .seen = deb_catalog_seen(list->catalog, release)};
    item.name = arena_printf(&list->arena, "%s%s", release->dir, listed_name);
    list_add(&list->arena, &list->items, item);
    return true;
}

/* "COMPONENT/Contents-ARCH"; older repositories have one "Contents-ARCH" for all components. Flat ones have none. */
static void add_items(struct deb_contents_list *list, const struct release *release)
{
    const struct deb_repository *repository = release->repository;
    const char *own = deb_arch(list->catalog->base.arch), *arch = list->is_all ? "all" : own;
    if (!deb_repository_serves(repository, own))
        return;
    const char *shared = arena_printf(&list->arena, "Contents-%s", arch);
    bool has_own = false;
    for (size_t i = 0; i < repository->components.count; i++) {
        if (add_item(list, release, arena_printf(&list->arena, "%s/%s", repository->components.items[i], shared)))
            has_own = true;
    }
    if (!has_own && repository->components.count)
        (void)add_item(list, release, shared);
}

void deb_catalog_list_contents(struct deb_catalog *catalog)
{
    const struct releases *releases = catalog->releases;
    for (size_t i = 0; i < releases->count; i++) {
        add_items(&catalog->arch_contents, releases->items[i]);
        add_items(&catalog->all_contents, releases->items[i]);
    }
}

/* flight_make: loads all tables of a list. */
static bool load_list(void *argument, void **ret_result, struct err *err)
{
    struct deb_contents_list *list = argument;
    AUTO(arena_done) struct arena scratch = {0};
    struct loading *loadings = arena_new_array(&scratch, struct loading, list->items.count);
    struct each_items items = {.items = loadings, .count = list->items.count, .each_bytes = sizeof *loadings};
    for (size_t i = 0; i < list->items.count; i++)
        loadings[i].item = &list->items.items[i];
    if (!each_run(items, load_one, list->catalog, err))
        return false;
    *ret_result = list;
    return true;
}

bool deb_catalog_get_contents(struct deb_catalog *catalog, bool is_all, struct deb_contents_list **ret_list,
                              struct err *err)
{
    void *list;
    atomic_store(is_all ? &catalog->all_contents.is_asked : &catalog->arch_contents.is_asked, true);
    if (!flight_get(catalog->flight, is_all ? "all" : "arch", load_list,
                    is_all ? &catalog->all_contents : &catalog->arch_contents, &list, err))
        return false;
    *ret_list = list;
    return true;
}

/* A path outside the tables: one text after the other is read through, on a worker. */
struct scanning {
    const struct source_env *env;
    const struct deb_contents *item;
    struct contents_scan scan;
    struct view packed;
};

static bool scan(void *argument, struct err *err)
{
    struct scanning *scanning = argument;
    bool is_read = read_packed(scanning->item, &scanning->packed, &scanning->scan.reader, err);
    contents_feed_end(&scanning->scan.reader);
    return is_read;
}

static bool scan_list(struct deb_catalog *catalog, const struct deb_contents_list *list, struct arena *arena,
                      const char *path, struct strings *names, struct err *err)
{
    for (size_t i = 0; i < list->items.count; i++) {
        const struct deb_contents *item = &list->items.items[i];
        struct scanning scanning = {.env = catalog->env, .item = item};
        contents_scan_begin(&scanning.scan, arena, item->name, path);
        scanning.scan.view = item->seen.pin ? &item->seen : NULL;
        if (!release_map(catalog->env, item->release, item->listed_name, item->listed, &scanning.packed, err))
            return false;
        bool is_read = workers_call(catalog->workers, scan, &scanning, err);
        view_done(&scanning.packed);
        contents_reader_done(&scanning.scan.reader);
        if (!is_read)
            return false;
        for (size_t k = 0; k < scanning.scan.owners.count; k++) {
            if (!strings_has(names, scanning.scan.owners.items[k]))
                list_add(arena, names, scanning.scan.owners.items[k]);
        }
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Drops names that the catalog does not offer (Contents may be older than Packages) and sorts the rest. */
static void settle(const struct deb_catalog *catalog, struct strings *names)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (deb_catalog_has(&catalog->base, names->items[i], false))
            names->items[kept++] = names->items[i];
    }
    names->count = kept;
    if (kept)
        qsort(names->items, kept, sizeof *names->items, compare_names);
}

static bool find_in_list(struct deb_catalog *catalog, struct deb_contents_list *list, struct arena *arena,
                         const char *path, struct strings *names, struct err *err)
{
    for (size_t i = 0; i < list->items.count; i++)
        contents_find(&list->items.items[i].contents, arena, path, names);
    if (!contents_keeps(text_of(path)) && !scan_list(catalog, list, arena, path, names, err))
        return false;
    settle(catalog, names);
    return true;
}

static const char *find_hint(struct deb_contents_list *const *lists, size_t count, struct arena *arena,
                             const char *path)
{
    struct strings hints = {0};
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < lists[k]->items.count; i++)
            contents_find_alike(&lists[k]->items.items[i].contents, arena, path, HINTS_MAX, &hints);
    }
    return hints.count ? strings_join(arena, &hints, "; ") : NULL;
}

/* Fails when the repositories have no index of paths at all. */
static bool fail_no_contents(const struct deb_catalog *catalog, const char *what, struct err *err)
{
    err_set(err, ERR_RESOLVE,
            "which package ships %s? No repository of %s has a Contents file for %s; name the package in the "
            "manifest under packages: first",
            what, catalog->releases->source->name, deb_arch(catalog->base.arch));
    return false;
}

bool deb_catalog_owners(struct catalog *any, struct arena *arena, const char *path, struct strings *ret_names,
                        const char **ret_hint, struct err *err)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    const char *wanted = contents_canonical(arena, path);
    struct deb_contents_list *lists[2];
    struct strings names = {0};
    size_t table_count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (!deb_catalog_get_contents(catalog, i == 1, &lists[i], err) ||
            !find_in_list(catalog, lists[i], arena, wanted, &names, err))
            return false;
        table_count += lists[i]->items.count;
        if (names.count)
            break;
    }
    if (!table_count)
        return fail_no_contents(catalog, path, err);
    *ret_names = names;
    if (ret_hint)
        *ret_hint = names.count ? NULL : find_hint(lists, ARRAY_COUNT(lists), arena, wanted);
    return true;
}

static void take_place(void *taker, const struct contents_place *place)
{
    struct text owners = text_of(place->owners);
    for (struct text owner; text_next(&owners, ',', &owner);)
        locate_add(taker, place->dir, owner);
}

static bool is_offered(const void *context, const char *package)
{
    return deb_catalog_has(context, package, false);
}

bool deb_catalog_locate(struct catalog *any, struct arena *arena, const char *base, enum located_kind kind,
                        struct locations *ret_locations, struct err *err)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    struct locate locate = {.arena = arena, .base = base, .kind = kind};
    size_t table_count = 0;
    for (size_t i = 0; i < 2 && !locate.found.count; i++) {
        struct deb_contents_list *list;
        if (!deb_catalog_get_contents(catalog, i == 1, &list, err))
            return false;
        for (size_t k = 0; k < list->items.count; k++)
            contents_each(&list->items.items[k].contents, base, take_place, &locate);
        table_count += list->items.count;
        locate_settle(&locate, is_offered, any);
    }
    if (!table_count)
        return fail_no_contents(catalog, base, err);
    *ret_locations = locate.found;
    return true;
}

#define PATH_MAX_BYTES 8192

/* One text on its way through a scan. */
struct walking {
    const struct deb_contents *item;
    const struct catalog_scan *scan;
    struct contents_reader reader;
    struct view packed;
    bool is_ended; /* no more is wanted */
};

static void walk_line(void *taker, struct text line)
{
    struct walking *walking = taker;
    struct text path, owners;
    char absolute[PATH_MAX_BYTES];
    bool is_merged;
    contents_split(line, &path, &owners);
    if (walking->is_ended || !path.len || path.len > sizeof absolute - sizeof "/usr/")
        return;
    (void)contents_keeps_raw(path, &is_merged);
    char *end = mempcpy(stpcpy(absolute, is_merged ? "/usr/" : "/"), path.ptr, path.len);
    struct text whole = {absolute, (size_t)(end - absolute)};
    for (struct text owner; text_next(&owners, ',', &owner) && !walking->is_ended;) {
        struct text name = contents_owner_name(owner);
        if (name.len && pin_view_shows(&walking->item->seen, name) &&
            (!walking->scan->package || text_is(name, walking->scan->package)))
            walking->is_ended = !walking->scan->take(walking->scan->taker, whole, name);
    }
}

static bool walk(void *argument, struct err *err)
{
    struct walking *walking = argument;
    bool is_read = read_packed(walking->item, &walking->packed, &walking->reader, err);
    contents_feed_end(&walking->reader);
    return is_read;
}

bool deb_catalog_scan(struct catalog *any, const struct catalog_scan *scan, struct err *err)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    const struct deb_contents_list *lists[] = {&catalog->arch_contents, &catalog->all_contents};
    size_t count = 0;
    bool is_ended = false;
    for (size_t k = 0; k < ARRAY_COUNT(lists); k++) {
        for (size_t i = 0; i < lists[k]->items.count && !is_ended; i++, count++) {
            const struct deb_contents *item = &lists[k]->items.items[i];
            struct walking walking = {.item = item, .scan = scan};
            walking.reader = (struct contents_reader){.name = item->name, .take = walk_line, .taker = &walking};
            if (!release_map(catalog->env, item->release, item->listed_name, item->listed, &walking.packed, err))
                return false;
            bool is_read = workers_call(catalog->workers, walk, &walking, err);
            view_done(&walking.packed);
            contents_reader_done(&walking.reader);
            if (!is_read)
                return false;
            is_ended = walking.is_ended;
        }
    }
    return count || fail_no_contents(catalog, "a path", err);
}

void deb_catalog_close_contents(struct deb_catalog *catalog)
{
    struct deb_contents_list *lists[] = {&catalog->arch_contents, &catalog->all_contents};
    for (size_t k = 0; k < ARRAY_COUNT(lists); k++) {
        for (size_t i = 0; i < lists[k]->items.count; i++)
            view_done(&lists[k]->items.items[i].view);
        arena_done(&lists[k]->arena);
    }
}
