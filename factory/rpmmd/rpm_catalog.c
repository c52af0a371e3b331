/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/rpm_catalog_parts.h"

#include "base/auto.h"
#include "base/checksum.h"
#include "base/each.h"
#include "rpmmd/rpm_arch.h"
#include "rpmmd/rpm_mirrors.h"
#include "rpmmd/rpm_primary.h"
#include "rpmmd/rpm_updateinfo.h"
#include "trust/keyring.h"

#include <stdlib.h>

#define ARCHES_MAX 64 /* there are some thirty */

/* Names what is derived from a listed file in this format. */
static struct digest derived_key(const char *format, const struct checksum *listed)
{
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, format, strlen(format) + 1);
    digest_feed(&stream, listed->bytes, checksum_len(listed->kind));
    return digest_end(&stream);
}

/* Fetches, parses and stores one index. */
struct making {
    struct rpm_catalog_repo *repo;
    struct buf plain;
};

static bool build(void *argument, struct err *err)
{
    const struct making *making = argument;
    struct rpm_catalog_repo *repo = making->repo;
    struct text plain = {making->plain.bytes ? making->plain.bytes : "", making->plain.len};
    return rpm_primary_build(repo->name, COMPRESSION_NONE, plain, &repo->bytes, err);
}

static bool make_index(struct rpm_catalog_repo *repo, const struct rpm_metadata_file *file, struct err *err)
{
    const struct rpm_catalog *catalog = repo->catalog;
    AUTO(blob_abandon) struct blob blob = {0};
    struct making making = {.repo = repo};
    if (!rpm_metadata_fetch(catalog->env, repo->metadata, file, &making.plain, err))
        return false;
    bool is_built = workers_call(catalog->workers, build, &making, err);
    buf_done(&making.plain);
    return is_built && blob_begin(catalog->env->store, &blob, err) &&
           blob_write(&blob, repo->bytes.bytes, repo->bytes.len, err) &&
           blob_commit_derived(&blob, "rpm-solv", &repo->key, err);
}

static bool open_index(void *context, void *item, struct err *err)
{
    struct rpm_catalog_repo *repo = item;
    const struct rpm_catalog *catalog = context;
    const struct rpm_metadata_file *primary = rpm_metadata_find(repo->metadata, "primary");
    const struct rpm_metadata_file *modules = rpm_metadata_find(repo->metadata, "modules");
    bool is_found;
    if (!primary) {
        err_set(err, ERR_MALFORMED, "repomd.xml of %s lists no primary.xml", repo->origin->name);
        return false;
    }
    repo->key = derived_key(RPM_PRIMARY_FORMAT, &primary->checksum);
    if (!store_map_derived(catalog->env->store, "rpm-solv", &repo->key, &repo->view, &is_found, err) ||
        (!is_found && !make_index(repo, primary, err)))
        return false;
    return !modules || rpm_metadata_fetch(catalog->env, repo->metadata, modules, &repo->modules, err);
}

/* Metadata of one repository on their way. */
struct getting {
    struct arena *arena; /* of its own: they are gotten at once */
    const struct rpm_repository *repository;
    struct pin_wish wish;
    struct rpm_metadata *metadata;
};

typedef LIST(struct getting) getting_list;

static bool get_one(void *context, void *item, struct err *err)
{
    const struct rpm_catalog *catalog = context;
    struct getting *getting = item;
    return rpm_metadata_get(catalog->env, getting->arena, getting->repository, catalog->base.arch, getting->wish,
                            &getting->metadata, err);
}

static void add_repo(struct rpm_catalog *catalog, const struct rpm_repository *repository,
                     const struct rpm_metadata *metadata, const struct rpm_catalog_texts *texts)
{
    struct rpm_catalog_repo repo = {.catalog = catalog, .repository = repository, .metadata = metadata, .texts = texts};
    const struct pin *pin = metadata ? metadata->pin : NULL;
    repo.seen = (struct pin_view){pin && (pin->is_extra || pin->names.count) ? pin : NULL, catalog->base.arch->name};
    repo.is_locked = pin && catalog->env->pins->has_newest;
    repo.name = arena_printf(&catalog->arena, "primary.xml of %s", repository->id);
    list_add(&catalog->arena, &catalog->repos, repo);
}

/* Tells what files the metadata list that a solution or a look at paths may need. */
static void list_indices(struct rpm_catalog *catalog, const struct rpm_metadata *metadata, struct origin *origin)
{
    static const char *const types[] = {"primary", "filelists", "modules"};
    for (size_t i = 0; metadata && i < ARRAY_COUNT(types); i++) {
        const struct rpm_metadata_file *file = rpm_metadata_find(metadata, types[i]);
        struct listed_file listed =
            file ? rpm_metadata_listed(&catalog->arena, metadata, file) : (struct listed_file){0};
        if (file)
            list_add(&catalog->arena, &origin->indices, listed);
    }
}

/* The common part's list of repositories, parallel to catalog->repos. */
static void set_origins(struct rpm_catalog *catalog)
{
    struct origins *origins = &catalog->base.origins;
    origins->items = arena_new_array(&catalog->arena, struct origin, catalog->repos.count);
    origins->count = catalog->repos.count;
    for (size_t i = 0; i < catalog->repos.count; i++) {
        struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        const struct rpm_repository *repository = repo->repository;
        origins->items[i] =
            repo->metadata ? repo->metadata->origin
                           : (struct origin){.name = repository->id,
                                             .uri = "file:///",
                                             .digest = digest_of(repo->texts->primary, strlen(repo->texts->primary))};
        origins->items[i].format = origins->source->format;
        list_indices(catalog, repo->metadata, &origins->items[i]);
        repo->origin = &origins->items[i];
        if (!repository->is_gpg_checked && !repository->is_repo_gpg_checked)
            list_add(&catalog->arena, &origins->trusted, repo->origin->name);
    }
}

/* Notes an optional repository that could not be reached. */
static void add_absent(struct rpm_catalog *catalog, const struct rpm_repository *repository)
{
    struct origins *origins = &catalog->base.origins;
    struct rpm_place place = rpm_place_of(&catalog->arena, repository, catalog->base.arch);
    struct pin absent = {
        .uri = source_public_uri(&catalog->arena, place.identity), .suite = RPM_METADATA_SUITE, .is_left_out = true};
    list_add(&catalog->arena, &origins->left_out, repository->id);
    list_add(&catalog->arena, &origins->absent, absent);
}

/* Adds what is wanted of a repository: where a lock names several generations each, and at an update of packages the newest. */
static void add_gettings(struct rpm_catalog *catalog, const struct rpm_repository *repository, getting_list *gettings)
{
    struct arena *arena = &catalog->arena;
    const struct pins *pins = catalog->env->pins;
    struct rpm_place place = rpm_place_of(arena, repository, catalog->base.arch);
    const char *uri = source_public_uri(arena, place.identity);
    const struct pin *base = pins_find(pins, uri, RPM_METADATA_SUITE), *extra = NULL;
    list_add(arena, gettings, (struct getting){.repository = repository});
    while ((extra = pins_next_extra(pins, uri, RPM_METADATA_SUITE, extra)) != NULL)
        list_add(arena, gettings, ((struct getting){.repository = repository, .wish.pin = extra}));
    if (base && !base->is_left_out && pins->has_newest)
        list_add(arena, gettings, ((struct getting){.repository = repository, .wish.is_newest = true}));
}

/* The repository as messages and reports name it when a generation is not its only one. */
static const struct rpm_repository *name_extra(struct arena *arena, struct rpm_metadata *metadata)
{
    struct rpm_repository *named = arena_new(arena, struct rpm_repository);
    *named = *metadata->repository;
    named->id = pin_extra_name(arena, named->id, metadata->origin.date);
    metadata->repository = named;
    metadata->origin.name = pin_extra_name(arena, metadata->origin.name, metadata->origin.date);
    metadata->origin.pin.is_extra = true;
    return named;
}

/* Gets the metadata of all repositories at once. Each has an arena, which the catalog's own outlives. */
static bool get_metadata(struct rpm_catalog *catalog, const struct source *source, struct err *err)
{
    const struct rpm_source *configured = rpm_source_of(source);
    getting_list list = {0};
    for (size_t i = 0; i < configured->repositories.count; i++)
        add_gettings(catalog, &configured->repositories.items[i], &list);
    size_t count = list.count;
    struct getting *gettings = list.items;
    struct each_items items = {.items = gettings, .count = count, .each_bytes = sizeof *gettings};
    catalog->metadata_arenas = arena_new_array(&catalog->arena, struct arena, count);
    catalog->metadata_count = count;
    for (size_t i = 0; i < count; i++)
        gettings[i].arena = &catalog->metadata_arenas[i];
    if (!each_run(items, get_one, catalog, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct rpm_repository *repository = gettings[i].repository;
        if (gettings[i].metadata && (gettings[i].wish.pin || gettings[i].wish.is_newest))
            repository = name_extra(&catalog->arena, gettings[i].metadata);
        if (gettings[i].metadata)
            add_repo(catalog, repository, gettings[i].metadata, NULL);
        else
            add_absent(catalog, repository);
    }
    if (catalog->repos.count)
        return true;
    err_set(err, ERR_NETWORK, "%s: none of its repositories can be reached", source->name);
    return false;
}

static bool open_indices(struct rpm_catalog *catalog, struct err *err)
{
    struct each_items items = {
        .items = catalog->repos.items, .count = catalog->repos.count, .each_bytes = sizeof *catalog->repos.items};
    return each_run(items, open_index, catalog, err);
}

static void feed_strings(struct digest_stream *stream, const struct strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        digest_feed(stream, strings->items[i], strlen(strings->items[i]) + 1);
    digest_feed(stream, "", 1);
}

static void feed_locks(struct digest_stream *stream, const struct rpm_source *source)
{
    for (size_t i = 0; i < source->locks.count; i++) {
        const struct rpm_lock *lock = &source->locks.items[i];
        char kind = (char)(1 + lock->is_excluding + 2 * lock->is_of_dnf5);
        digest_feed(stream, &kind, 1);
        digest_feed(stream, lock->pattern, strlen(lock->pattern) + 1);
        for (size_t k = 0; k < lock->conditions.count; k++) {
            const struct rpm_lock_condition *condition = &lock->conditions.items[k];
            char how = (char)(1 + (int)condition->key * 8 + condition->is_less_fine + 2 * condition->is_equal_fine +
                              4 * condition->is_greater_fine);
            digest_feed(stream, &how, 1);
            digest_feed(stream, condition->value, strlen(condition->value) + 1);
        }
        digest_feed(stream, "", 1);
    }
}

/* What holds for all repositories; a source without it has the digest of before. */
static void feed_choices(struct digest_stream *stream, const struct rpm_source *source)
{
    const struct strings *lists[] = {&source->disabled_modules, &source->exclude_pkgs, &source->include_pkgs};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        char which = (char)('1' + (int)i);
        if (lists[i]->count)
            digest_feed(stream, &which, 1);
        if (lists[i]->count)
            feed_strings(stream, lists[i]);
    }
    feed_locks(stream, source);
    if (source->is_older_fine)
        digest_feed(stream, "older", sizeof "older");
}

/* Over all that a solution depends on: the input and how it is filtered. */
static void set_digest(struct rpm_catalog *catalog)
{
    const struct rpm_source *source = rpm_source_of(catalog->base.origins.source);
    struct digest_stream stream;
    digest_begin(&stream);
    digest_feed(&stream, RPM_PRIMARY_FORMAT, sizeof RPM_PRIMARY_FORMAT);
    digest_feed(&stream, rpm_arch(catalog->base.arch), strlen(rpm_arch(catalog->base.arch)) + 1);
    origins_feed(&catalog->base.origins, &stream);
    feed_strings(&stream, &source->modules);
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        const struct rpm_repository *repository = repo->repository;
        digest_feed(&stream, repository->id, strlen(repository->id) + 1);
        digest_feed(&stream, repo->origin->digest.bytes, DIGEST_BYTES);
        pin_view_feed(&repo->seen, &stream);
        if (repo->is_locked)
            digest_feed(&stream, "locked", sizeof "locked");
        /* What nobody's signature was asked for must not be taken for signed later. */
        digest_feed(&stream, &repository->is_gpg_checked, sizeof repository->is_gpg_checked);
        if (repo->origin->package_keys)
            digest_feed(&stream, repo->origin->package_keys->digest.bytes, DIGEST_BYTES);
        digest_feed(&stream, &repository->priority, sizeof repository->priority);
        digest_feed(&stream, &repository->has_module_hotfixes, sizeof repository->has_module_hotfixes);
        feed_strings(&stream, &repository->exclude_pkgs);
        feed_strings(&stream, &repository->include_pkgs);
        if (repository->cost != RPM_COST_DEFAULT)
            digest_feed(&stream, &repository->cost, sizeof repository->cost);
    }
    feed_choices(&stream, source);
    catalog->base.digest = digest_end(&stream);
}

/* Loads the Pool; on a worker. */
static bool load(void *catalog, struct err *err)
{
    return rpm_pool_load(catalog, err);
}

/* Returns false when all packages but architecture-less ones are for others. */
static bool is_offered(const struct rpm_catalog *catalog, struct err *err)
{
    const Pool *pool = catalog->pool;
    Id id, wanted = pool_str2id(catalog->pool, rpm_arch(catalog->base.arch), 0), other = 0;
    FOR_POOL_SOLVABLES(id)
    {
        Id arch = pool_id2solvable(pool, id)->arch;
        if (arch == wanted)
            return true;
        if (arch != ARCH_NOARCH)
            other = arch;
    }
    if (!other)
        return true;
    err_set(err, ERR_RESOLVE, "no repository of %s offers architecture %s; one has %s",
            catalog->base.origins.source->name, rpm_arch(catalog->base.arch), pool_id2str(pool, other));
    return false;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lists the architectures of a repository's packages, without noarch, sorted; of absurdly many the first, and ours. */
static struct strings arches_of(struct arena *arena, const struct rpm_catalog_repo *repo)
{
    const Pool *pool = repo->catalog->pool;
    struct strings names = {0};
    const Solvable *solvable;
    Id id, last = ARCH_NOARCH;
    FOR_REPO_SOLVABLES(repo->repo, id, solvable)
    {
        if (solvable->arch == last || solvable->arch == ARCH_NOARCH)
            continue;
        last = solvable->arch;
        const char *name = pool_id2str(pool, last);
        bool is_wanted = strcmp(name, rpm_arch(repo->catalog->base.arch)) == 0;
        if ((names.count < ARCHES_MAX || is_wanted) && !strings_has(&names, name))
            list_add(arena, &names, arena_strdup(arena, name));
    }
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_strings);
    return names;
}

/* Accepts the repositories now that their packages are known, and remembers them. */
static bool accept_repos(const struct rpm_catalog *catalog, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings *arches = arena_new_array(&scratch, struct strings, catalog->repos.count), new_ones = {0};
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        arches[i] = arches_of(&scratch, repo);
        if (!rpm_metadata_check_arches(repo->metadata, &scratch, catalog->base.arch, &arches[i], err))
            return false;
    }
    for (size_t i = 0; i < catalog->repos.count; i++) {
        const struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        if (!rpm_metadata_remember(catalog->env, repo->metadata, &scratch, &arches[i], err))
            return false;
        if (!repo->metadata->former && !repo->metadata->is_recalled)
            list_add(&scratch, &new_ones, arena_printf(&scratch, "%s", repo->origin->name));
    }
    release_tell_first_use(&scratch, catalog->env, &new_ones);
    return true;
}

static void rpm_catalog_names(const struct catalog *any, catalog_take_name *take, void *taker)
{
    const struct rpm_catalog *catalog = rpm_catalog_of_const(any);
    pthread_mutex_lock(catalog->lock);
    for (size_t i = 0; i < catalog->repos.count; i++) {
        Id id;
        const Solvable *item;
        FOR_REPO_SOLVABLES(catalog->repos.items[i].repo, id, item)
        take(taker, text_of(pool_id2str(catalog->pool, item->name)));
    }
    pthread_mutex_unlock(catalog->lock);
}

static bool is_package(Pool *pool, Solvable *item, const struct pin_package *package)
{
    static const struct digest any;
    Id type = 0;
    const unsigned char *sha256 = solvable_lookup_bin_checksum(item, SOLVABLE_CHECKSUM, &type);
    return strcmp(pool_id2str(pool, item->evr), package->version) == 0 &&
           strcmp(pool_id2str(pool, item->arch), package->architecture) == 0 &&
           (digest_eq(&package->digest, &any) ||
            (sha256 && type == REPOKEY_TYPE_SHA256 && memcmp(sha256, package->digest.bytes, DIGEST_BYTES) == 0));
}

static bool rpm_catalog_lists(const struct catalog *any, const struct pin_package *package)
{
    const struct rpm_catalog *catalog = rpm_catalog_of_const(any);
    Pool *pool = catalog->pool;
    bool is_found = false;
    pthread_mutex_lock(catalog->lock);
    Id name = pool_str2id(pool, package->name, 0), id;
    FOR_POOL_SOLVABLES(id)
    {
        Solvable *item = pool_id2solvable(pool, id);
        is_found = is_found || (name && item->name == name && is_package(pool, item, package));
    }
    pthread_mutex_unlock(catalog->lock);
    return is_found;
}

static void rpm_catalog_close(struct catalog *any)
{
    struct rpm_catalog *catalog = rpm_catalog_of(any);
    for (size_t i = 0; i < catalog->repos.count; i++) {
        struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        view_done(&repo->view);
        buf_done(&repo->bytes);
        buf_done(&repo->modules);
    }
    rpm_filelists_close(catalog);
    rpm_pool_free(catalog->pool);
    queue_free(&catalog->missing);
    pthread_mutex_destroy(catalog->lock);
    flight_free(catalog->flight);
    for (size_t i = 0; i < catalog->metadata_count; i++)
        arena_done(&catalog->metadata_arenas[i]);
    arena_done(&catalog->arena);
    free(catalog);
}

/* All was loaded when it was opened. */
static bool rpm_catalog_prepare(struct catalog *catalog, struct err *err)
{
    (void)catalog;
    (void)err;
    return true;
}

static const struct catalog_kind rpm_kind = {.prepare = rpm_catalog_prepare,
                                             .owners = rpm_catalog_owners,
                                             .has = rpm_catalog_has,
                                             .siblings = rpm_catalog_siblings,
                                             .locate = rpm_catalog_locate,
                                             .scan = rpm_catalog_scan,
                                             .describe = rpm_catalog_describe,
                                             .solve = rpm_catalog_solve,
                                             .identity = rpm_catalog_identity,
                                             .names = rpm_catalog_names,
                                             .lists = rpm_catalog_lists,
                                             .mark_security = rpm_catalog_mark_security,
                                             .close = rpm_catalog_close};

static struct rpm_catalog *new_catalog(const struct source_env *env, struct workers *workers,
                                       const struct source *source, const struct arch *arch)
{
    struct rpm_catalog *catalog = calloc(1, sizeof *catalog);
    if (!catalog)
        memory_abort(sizeof *catalog);
    *catalog = (struct rpm_catalog){
        .base = {.kind = &rpm_kind, .arch = arch}, .env = env, .workers = workers, .flight = flight_new()};
    catalog->base.origins.source = source;
    catalog->lock = arena_new(&catalog->arena, pthread_mutex_t);
    pthread_mutex_init(catalog->lock, NULL);
    queue_init(&catalog->missing);
    return catalog;
}

static void auto_close(struct rpm_catalog **catalog)
{
    if (*catalog)
        rpm_catalog_close(&(*catalog)->base);
}

/* What was mapped or built to be loaded is not needed any more. */
static void drop_inputs(struct rpm_catalog *catalog)
{
    for (size_t i = 0; i < catalog->repos.count; i++) {
        view_done(&catalog->repos.items[i].view);
        buf_done(&catalog->repos.items[i].bytes);
        buf_done(&catalog->repos.items[i].modules);
    }
}

bool rpm_catalog_open(const struct source_env *env, struct workers *workers, const struct source *source,
                      const struct arch *arch, struct catalog **ret_catalog, struct err *err)
{
    AUTO(auto_close) struct rpm_catalog *catalog = new_catalog(env, workers, source, arch);
    if (!get_metadata(catalog, source, err))
        return false;
    set_origins(catalog);
    set_digest(catalog);
    if (!open_indices(catalog, err))
        return false;
    bool is_loaded = workers_call(workers, load, catalog, err);
    drop_inputs(catalog);
    if (!is_loaded || !accept_repos(catalog, err) || !is_offered(catalog, err))
        return false;
    *ret_catalog = &TAKE_PTR(catalog)->base;
    return true;
}

bool rpm_catalog_from_texts(const struct source *source, const struct arch *arch, const struct rpm_catalog_texts *texts,
                            struct catalog **ret_catalog, struct err *err)
{
    AUTO(auto_close) struct rpm_catalog *catalog = new_catalog(NULL, NULL, source, arch);
    const struct rpm_source *configured = rpm_source_of(source);
    for (size_t i = 0; i < configured->repositories.count; i++) {
        struct rpm_catalog_texts *kept = arena_new(&catalog->arena, struct rpm_catalog_texts);
        *kept = texts[i];
        add_repo(catalog, &configured->repositories.items[i], NULL, kept);
    }
    set_origins(catalog);
    set_digest(catalog);
    for (size_t i = 0; i < catalog->repos.count; i++) {
        struct rpm_catalog_repo *repo = &catalog->repos.items[i];
        struct text modules = text_of(texts[i].modules ? texts[i].modules : "");
        buf_init(&repo->modules, modules.len);
        if (!rpm_primary_build(repo->name, COMPRESSION_NONE, text_of(texts[i].primary), &repo->bytes, err))
            return false;
        if (modules.len && !buf_add(&repo->modules, modules.ptr, modules.len))
            memory_abort(modules.len);
    }
    bool is_good = rpm_pool_load(catalog, err);
    drop_inputs(catalog);
    if (!is_good || !is_offered(catalog, err))
        return false;
    *ret_catalog = &TAKE_PTR(catalog)->base;
    return true;
}
