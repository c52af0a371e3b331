/* SPDX-License-Identifier: Apache-2.0 */
#include "deb/deb_catalog_parts.h"

#include "base/auto.h"
#include "base/each.h"
#include "deb/deb_arch.h"

#include <assert.h>

#define LOCKED_BONUS 100000 /* apt's priorities have 16 bits */

/* One index on its way: fetched by a thread of each_run(), built by a worker. */
struct opening {
    struct deb_catalog *catalog;
    struct deb_catalog_index *index;
    struct buf plain, built;
    bool is_good;
    struct err err;
};

static bool build(void *argument, struct err *err)
{
    struct opening *opening = argument;
    struct text plain = {opening->plain.bytes ? opening->plain.bytes : "", opening->plain.len};
    return deb_index_build(plain, opening->index->name, &opening->index->seen, &opening->built, err);
}

/* Maps the derived index. *ret_found is false when it has to be made. */
static bool map_index(struct opening *opening, bool *ret_found)
{
    struct deb_catalog_index *index = opening->index;
    struct store *store = opening->catalog->env->store;
    if (!store_map_derived(store, "deb-index", &index->key, &index->view, ret_found, &opening->err))
        return false;
    bool is_good = !*ret_found || deb_index_open((struct text){index->view.ptr, index->view.len}, &index->index);
    view_give_back(&index->view); /* it was looked through; questions need little of it */
    if (is_good)
        return true;
    view_done(&index->view);
    store_drop_derived(store, "deb-index", &index->key);
    *ret_found = false;
    return true;
}

static bool make_index(struct opening *opening)
{
    struct deb_catalog *catalog = opening->catalog;
    if (!release_fetch(catalog->env, opening->index->release, opening->index->listed_name, &opening->plain,
                       &opening->err))
        return false;
    bool is_built = workers_call(catalog->workers, build, opening, &opening->err);
    buf_done(&opening->plain);
    if (!is_built)
        return false;
    AUTO(blob_abandon) struct blob blob = {0};
    return blob_begin(catalog->env->store, &blob, &opening->err) &&
           blob_write(&blob, opening->built.bytes, opening->built.len, &opening->err) &&
           blob_commit_derived(&blob, "deb-index", &opening->index->key, &opening->err);
}

static bool open_index(void *context, void *item, struct err *err)
{
    struct opening *opening = item;
    opening->catalog = context;
    bool is_found = false;
    opening->is_good = map_index(opening, &is_found);
    if (opening->is_good && !is_found) {
        opening->is_good = make_index(opening) && map_index(opening, &is_found);
        if (opening->is_good && !is_found) {
            err_set(&opening->err, ERR_LOCAL, "%s: its index vanished from the cache while it was made",
                    opening->index->name);
            opening->is_good = false;
        }
    }
    buf_done(&opening->built);
    buf_done(&opening->plain);
    if (!opening->is_good)
        *err = opening->err;
    return opening->is_good;
}

/* What pins can ask of an index; `component` is NULL in a flat repository. */
static struct deb_pin_index traits_of(const struct release *release, const char *component, const char *arch)
{
    return (struct deb_pin_index){.archive = release->suite,
                                  .codename = release->codename,
                                  .version = release->version,
                                  .origin = release->origin,
                                  .label = release->label,
                                  .component = component ? component : "",
                                  .architecture = component ? arch : NULL,
                                  .site = release->repository->site,
                                  .is_not_automatic = release->is_not_automatic,
                                  .is_but_automatic_upgrades = release->is_but_automatic_upgrades};
}

/* Adds an index if the Release lists the file. */
static bool add_index(struct deb_catalog *catalog, const struct release *release, const char *component,
                      const char *arch)
{
    const char *listed_name;
    const char *file = component ? arena_printf(&catalog->arena, "%s/binary-%s/Packages", component, arch) : "Packages";
    const struct release_file *listed = release_find(release, &catalog->arena, file, &listed_name);
    if (!listed)
        return false;
    struct deb_catalog_index index = {.release = release,
                                      .file = file,
                                      .listed = listed,
                                      .listed_name = listed_name,
                                      .traits = traits_of(release, component, arch),
                                      .seen = deb_catalog_seen(catalog, release)};
    index.key = deb_catalog_key(DEB_INDEX_FORMAT, &listed->digest, &index.seen);
    index.name = arena_printf(&catalog->arena, "%s of %s", file, release->repository->name);
    index.priority = deb_pins_index_priority(catalog->pins, &index.traits);
    index.bonus = release->pin && catalog->env->pins->has_newest ? LOCKED_BONUS : 0;
    list_add(&catalog->arena, &catalog->indices, index);
    return true;
}

/* Adds the indices of one repository; returns whether it offers the architecture. */
static bool add_indices(struct deb_catalog *catalog, const struct release *release)
{
    const struct deb_repository *repository = release->repository;
    const char *arch = deb_arch(catalog->base.arch);
    if (!deb_repository_serves(repository, arch))
        return false;
    if (!repository->components.count)
        return add_index(catalog, release, NULL, arch);
    bool is_offered = false;
    for (size_t i = 0; i < repository->components.count; i++) {
        const char *component = repository->components.items[i];
        if (add_index(catalog, release, component, arch))
            is_offered = true;
        else
            log_line(catalog->env->log, LOG_VERBOSE, "%s has no component %s for %s: passed over", repository->name,
                     component, arch);
        if (!release->has_all_in_arch)
            (void)add_index(catalog, release, component, "all");
    }
    return is_offered;
}

/* Lists "SUITE of URI: amd64, arm64; …". */
static void fail_not_offered(const struct deb_catalog *catalog, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings offers = {0};
    for (size_t i = 0; i < catalog->releases->count; i++) {
        const struct release *release = catalog->releases->items[i];
        const struct deb_repository *repository = release->repository;
        const struct strings *limited =
            repository->architectures.count ? &repository->architectures : &release->architectures;
        list_add(&scratch, &offers,
                 arena_printf(&scratch, "%s: %s", repository->name,
                              limited->count ? strings_join(&scratch, limited, " ") : "nothing named"));
    }
    err_set(err, ERR_RESOLVE, "no repository of %s offers architecture %s (they offer: %s)",
            catalog->releases->source->name, deb_arch(catalog->base.arch), strings_join(&scratch, &offers, "; "));
}

static void feed_listed(struct digest_stream *stream, const char *file, const struct release_file *listed)
{
    digest_feed(stream, file, strlen(file) + 1);
    digest_feed(stream, listed->digest.bytes, DIGEST_BYTES);
}

/* Contents belong to it, asked for or not: they decide which package is taken for a path. */
static void set_digest(struct deb_catalog *catalog)
{
    const struct deb_contents_list *contents[] = {&catalog->arch_contents, &catalog->all_contents};
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, DEB_INDEX_FORMAT, sizeof DEB_INDEX_FORMAT);
    origins_feed(&catalog->base.origins, &stream);
    digest_feed(&stream, deb_arch(catalog->base.arch), strlen(deb_arch(catalog->base.arch)) + 1);
    for (size_t i = 0; i < catalog->indices.count; i++) {
        const struct deb_catalog_index *index = &catalog->indices.items[i];
        const struct release *release = index->release;
        ptrdiff_t number = deb_catalog_origin(catalog, release) - catalog->base.origins.items;
        digest_feed(&stream, &number, sizeof number); /* which of the repositories has it: a bill says so */
        digest_feed(&stream, release->repository->suite, strlen(release->repository->suite) + 1);
        digest_feed(&stream, &release->is_not_automatic, sizeof release->is_not_automatic);
        digest_feed(&stream, &release->is_but_automatic_upgrades, sizeof release->is_but_automatic_upgrades);
        feed_listed(&stream, index->file, index->listed);
        pin_view_feed(&index->seen, &stream);
        if (index->bonus)
            digest_feed(&stream, "locked", sizeof "locked");
    }
    deb_pins_feed(catalog->pins, &stream);
    for (size_t k = 0; k < ARRAY_COUNT(contents); k++) {
        for (size_t i = 0; i < contents[k]->items.count; i++)
            feed_listed(&stream, contents[k]->items.items[i].file, contents[k]->items.items[i].listed);
    }
    catalog->base.digest = digest_end(&stream);
}

static bool open_indices(struct deb_catalog *catalog, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    size_t count = catalog->indices.count;
    struct opening *openings = arena_new_array(&scratch, struct opening, count);
    struct each_items items = {.items = openings, .count = count, .each_bytes = sizeof *openings};
    for (size_t i = 0; i < count; i++)
        openings[i].index = &catalog->indices.items[i];
    return each_run(items, open_index, catalog, err);
}

static bool make_ready(void *argument, void **ret_result, struct err *err)
{
    *ret_result = argument;
    return open_indices(argument, err);
}

static bool remember(void *argument, void **ret_result, struct err *err)
{
    const struct deb_catalog *catalog = argument;
    *ret_result = argument;
    for (size_t i = 0; i < catalog->releases->count; i++) {
        if (!release_remember(catalog->env, catalog->releases->items[i], err))
            return false;
    }
    return true;
}

static bool deb_catalog_accept(struct catalog *any, struct err *err)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    void *remembered;
    return !catalog->env || flight_get(catalog->flight, "accepted", remember, catalog, &remembered, err);
}

static bool deb_catalog_prepare(struct catalog *any, struct err *err)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    void *prepared;
    return !catalog->env || flight_get(catalog->flight, "indices", make_ready, catalog, &prepared, err);
}

static void deb_catalog_close(struct catalog *any)
{
    struct deb_catalog *catalog = deb_catalog_of(any);
    for (size_t i = 0; i < catalog->indices.count; i++) {
        view_done(&catalog->indices.items[i].view);
        buf_done(&catalog->indices.items[i].bytes);
    }
    deb_catalog_close_contents(catalog);
    flight_free(catalog->flight);
    arena_done(&catalog->arena);
    free(catalog);
}

/* Of the Packages files; the tables of Contents may just be loaded by somebody. */
static void deb_catalog_rest(const struct catalog *any)
{
    const struct deb_catalog *catalog = deb_catalog_of_const(any);
    for (size_t i = 0; i < catalog->indices.count; i++)
        view_give_back(&catalog->indices.items[i].view);
}

static const struct catalog_kind deb_kind = {.prepare = deb_catalog_prepare,
                                             .accept = deb_catalog_accept,
                                             .owners = deb_catalog_owners,
                                             .has = deb_catalog_has,
                                             .siblings = deb_catalog_siblings,
                                             .locate = deb_catalog_locate,
                                             .scan = deb_catalog_scan,
                                             .describe = deb_catalog_describe,
                                             .solve = deb_catalog_solve,
                                             .identity = deb_catalog_identity,
                                             .paths_ready = deb_catalog_paths_ready,
                                             .tells = deb_catalog_tells,
                                             .shippers = deb_catalog_shippers,
                                             .names = deb_catalog_names,
                                             .lists = deb_catalog_lists,
                                             .rest = deb_catalog_rest,
                                             .close = deb_catalog_close};

/* Debian's says so in its Label ("Debian-Security"), Ubuntu's in its Suite ("noble-security"); of one without Suite what it
 * was asked for by counts. */
static bool is_security(const struct release *release)
{
    const char *suite = release->suite ? release->suite : release->repository->suite;
    return (release->label && strcasestr(release->label, "security")) ||
           (release->codename && text_has_suffix(text_of(release->codename), "-security")) ||
           (suite && text_has_suffix(text_of(suite), "-security"));
}

static struct pin pin_of(struct deb_catalog *catalog, const struct release *release)
{
    const struct deb_repository *repository = release->repository;
    if (!release->mark.from)
        return (struct pin){0};
    struct pin pin = release_mark_pin(&release->mark, source_public_uri(&catalog->arena, repository->uris.items[0]),
                                      repository->suite);
    pin.is_extra = release->is_extra;
    return pin;
}

static void set_origins(struct deb_catalog *catalog)
{
    const struct releases *releases = catalog->releases;
    struct origins *origins = &catalog->base.origins;
    *origins = (struct origins){.source = releases->source,
                                .items = arena_new_array(&catalog->arena, struct origin, releases->count),
                                .count = releases->count,
                                .trusted = releases->trusted,
                                .left_out = releases->left_out,
                                .absent = {releases->absent.items, releases->absent.count, releases->absent.count}};
    for (size_t i = 0; i < releases->count; i++) {
        const struct release *release = releases->items[i];
        origins->items[i] = (struct origin){.format = releases->source->format,
                                            .name = release->repository->name,
                                            .uri = release->uri,
                                            .uris = *release_uris(release),
                                            .date = release->date,
                                            .digest = release->digest,
                                            .generations = catalog->env ? catalog->env->generations : NULL,
                                            .distribution = release->origin,
                                            .version = release->version,
                                            .codename = release->codename,
                                            .is_security = is_security(release),
                                            .signed_by = release->signed_by,
                                            .keys = release->repository->keyrings,
                                            .is_stand_in = release->is_stand_in,
                                            .pin = pin_of(catalog, release)};
    }
}

static void add_listed(struct deb_catalog *catalog, const struct release *release, const char *name,
                       const struct release_file *file)
{
    ptrdiff_t number = deb_catalog_origin(catalog, release) - catalog->base.origins.items;
    struct listed_file listed = release_listed(&catalog->arena, release, name, file);
    list_add(&catalog->arena, &catalog->base.origins.items[number].indices, listed);
}

/* Tells what signed files the catalog is made of. */
static void list_indices(struct deb_catalog *catalog)
{
    const struct deb_contents_list *contents[] = {&catalog->arch_contents, &catalog->all_contents};
    for (size_t i = 0; i < catalog->indices.count; i++) {
        const struct deb_catalog_index *index = &catalog->indices.items[i];
        add_listed(catalog, index->release, index->listed_name, index->listed);
    }
    for (size_t k = 0; k < ARRAY_COUNT(contents); k++) {
        for (size_t i = 0; i < contents[k]->items.count; i++) {
            const struct deb_contents *item = &contents[k]->items.items[i];
            add_listed(catalog, item->release, item->listed_name, item->listed);
        }
    }
}

static struct deb_catalog *new_catalog(const struct source_env *env, struct workers *workers,
                                       const struct releases *releases, const struct arch *arch)
{
    static const struct deb_pins no_pins;
    const struct deb_source *source = releases->source ? deb_source_of(releases->source) : NULL;
    struct deb_catalog *catalog = calloc(1, sizeof *catalog);
    if (!catalog)
        memory_abort(sizeof *catalog);
    *catalog = (struct deb_catalog){.base = {.kind = &deb_kind, .arch = arch},
                                    .env = env,
                                    .workers = workers,
                                    .releases = releases,
                                    .pins = source ? &source->pins : &no_pins,
                                    .flight = flight_new(),
                                    .arch_contents.catalog = catalog,
                                    .all_contents = {.catalog = catalog, .is_all = true}};
    set_origins(catalog);
    return catalog;
}

static void auto_close(struct deb_catalog **catalog)
{
    if (*catalog)
        deb_catalog_close(&(*catalog)->base);
}

bool deb_catalog_open(const struct source_env *env, struct workers *workers, const struct releases *releases,
                      const struct arch *arch, struct catalog **ret_catalog, struct err *err)
{
    AUTO(auto_close) struct deb_catalog *catalog = new_catalog(env, workers, releases, arch);
    bool is_offered = false;
    for (size_t i = 0; i < releases->count; i++) {
        if (add_indices(catalog, releases->items[i]))
            is_offered = true;
        else
            log_line(env->log, LOG_VERBOSE, "%s does not offer %s: passed over", releases->items[i]->repository->name,
                     deb_arch(arch));
    }
    if (!is_offered) {
        fail_not_offered(catalog, err);
        return false;
    }
    deb_catalog_list_contents(catalog);
    list_indices(catalog);
    set_digest(catalog);
    *ret_catalog = &TAKE_PTR(catalog)->base;
    return true;
}

bool deb_catalog_from_texts(const struct releases *releases, const struct arch *arch, const char *const *packages,
                            struct catalog **ret_catalog, struct err *err)
{
    AUTO(auto_close) struct deb_catalog *catalog = new_catalog(NULL, NULL, releases, arch);
    for (size_t i = 0; i < releases->count; i++) {
        struct text text = text_of(packages[i]);
        struct release_file *listed = arena_new(&catalog->arena, struct release_file);
        *listed = (struct release_file){.size_bytes = text.len, .digest = digest_of(text.ptr, text.len)};
        struct deb_catalog_index index = {.release = releases->items[i], .file = "Packages", .listed = listed};
        index.traits = traits_of(releases->items[i], NULL, NULL);
        index.priority = deb_pins_index_priority(catalog->pins, &index.traits);
        index.name = arena_printf(&catalog->arena, "Packages of %s", releases->items[i]->repository->name);
        if (!deb_index_build(text, index.name, NULL, &index.bytes, err))
            return false;
        bool is_open = deb_index_open((struct text){index.bytes.bytes, index.bytes.len}, &index.index);
        assert(is_open);
        list_add(&catalog->arena, &catalog->indices, index);
    }
    set_digest(catalog);
    *ret_catalog = &TAKE_PTR(catalog)->base;
    return true;
}
