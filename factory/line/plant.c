#include "line/plant.h"

#include "base/auto.h"
#include "io/hashed.h"
#include "io/secret.h"
#include "io/store_prune.h"
#include "line/standing.h"
#include "source/format.h"

#include <stdlib.h>

/* What the catalogs of a source share, and the memory it lives in. */
struct shared_source {
    struct shared_source *next;
    struct arena arena;
};

struct shared_catalog {
    struct shared_catalog *next;
    struct catalog *catalog;
};

/* Opens cache and state. */
static bool open_places(const struct run_options *options, struct plant *plant, struct err *err)
{
    struct digest secret;
    const struct lock_wait *wait = options->wait;
    if (!secret_open(options->state_dir, &secret, err) || !store_open(options->cache_dir, wait, &plant->store, err))
        return false;
    store_use_secret(plant->store, &secret);
    if (options->hashed)
        store_use_hashed(plant->store, TAKE_PTR(*options->hashed));
    store_keep_below(plant->store, options->cache_limit, wait);
    return true;
}

/* Before any thread is started, and once cache and state are there. The network's thread is the keeper's to start. */
static void confine(const struct run_options *options, struct plant *plant)
{
    struct confine_places *places = options->confined;
    if (!places)
        return;
    list_add(&plant->arena, &places->writable, options->cache_dir);
    list_add(&plant->arena, &places->writable, options->state_dir);
    const char *lacking = confine_readers(&plant->arena, places);
    if (lacking)
        log_line(plant->log, LOG_VERBOSE, "readers are not confined as they should be: %s", lacking);
}

/* Adds to the inputs of all orders what this process itself is. */
static void find_inputs(struct plant *plant)
{
    struct layer_encoder encoder = layer_encoder(plant->options->inputs.compression);
    plant->inputs = plant->options->inputs;
    plant->inputs.encoder = arena_strdup(&plant->arena, encoder.name);
    plant->inputs.encoder_code = encoder.code;
}

bool plant_open(const struct run_options *options, struct log *log, struct plant *ret_plant, struct err *err)
{
    *ret_plant = (struct plant){.options = options, .log = log};
    pthread_mutex_init(&ret_plant->lock, NULL);
    ret_plant->sources = flight_new();
    ret_plant->catalogs = flight_new();
    ret_plant->prepared = flight_new();
    ret_plant->bases = flight_new();
    packing_room_init(&ret_plant->packing_room, options->jobs);
    find_inputs(ret_plant);
    if (!open_places(options, ret_plant, err)) {
        plant_close(ret_plant);
        return false;
    }
    confine(options, ret_plant);
    if (!http_start(&options->http, &ret_plant->http, err) || !workers_start(options->jobs, &ret_plant->workers, err)) {
        plant_close(ret_plant);
        return false;
    }
    ret_plant->supply = supply_open(ret_plant->store, ret_plant->http, ret_plant->workers);
    ret_plant->env = (struct source_env){.http = ret_plant->http,
                                         .store = ret_plant->store,
                                         .log = log,
                                         .state_dir = options->state_dir,
                                         .cancel = options->cancel,
                                         .now = options->now,
                                         .wait = options->wait,
                                         .is_cache_only = options->is_cache_only,
                                         .is_change_accepted = options->is_change_accepted};
    return true;
}

struct source_question {
    struct plant *plant;
    const struct source *source;
    const struct arch *arch;
    const void *shared;
};

static bool make_source(void *argument, void **ret_result, struct err *err)
{
    const struct source_question *question = argument;
    struct plant *plant = question->plant;
    pthread_mutex_lock(&plant->lock);
    struct shared_source *shared = arena_new(&plant->arena, struct shared_source);
    shared->next = plant->opened_sources;
    plant->opened_sources = shared;
    pthread_mutex_unlock(&plant->lock);
    return question->source->format->share(&plant->env, &shared->arena, question->source, ret_result, err);
}

static bool make_catalog(void *argument, void **ret_result, struct err *err)
{
    const struct source_question *question = argument;
    struct plant *plant = question->plant;
    struct catalog *catalog;
    struct catalog_request request = {.env = &plant->env,
                                      .workers = plant->workers,
                                      .source = question->source,
                                      .shared = question->shared,
                                      .arch = question->arch};
    if (!question->source->format->open_catalog(&request, &catalog, err))
        return false;
    pthread_mutex_lock(&plant->lock);
    struct shared_catalog *shared = arena_new(&plant->arena, struct shared_catalog);
    *shared = (struct shared_catalog){plant->opened_catalogs, catalog};
    plant->opened_catalogs = shared;
    pthread_mutex_unlock(&plant->lock);
    *ret_result = catalog;
    return true;
}

bool plant_find_catalog(struct plant *plant, const struct source *source, const struct arch *arch,
                        struct catalog **ret_catalog, struct err *err)
{
    char key[64];
    struct source_question question = {.plant = plant, .source = source, .arch = arch};
    void *shared, *catalog;
    (void)snprintf(key, sizeof key, "%p", (const void *)source);
    if (!flight_get(plant->sources, key, make_source, &question, &shared, err))
        return false;
    question.shared = shared;
    (void)snprintf(key, sizeof key, "%p %p", (const void *)source, (const void *)arch);
    if (!flight_get(plant->catalogs, key, make_catalog, &question, &catalog, err))
        return false;
    *ret_catalog = catalog;
    return true;
}

struct preparing {
    struct plant *plant;
    struct catalog *catalog;
};

static bool prepare(void *argument, void **ret_result, struct err *err)
{
    const struct preparing *preparing = argument;
    const struct run_options *options = preparing->plant->options;
    struct catalog *catalog = preparing->catalog;
    *ret_result = catalog;
    return data_folders_load(options->folders, err) &&
           families_find(options->families, catalog->origins.source->format->name, &catalog->family, err) &&
           catalog_prepare(catalog, err);
}

bool plant_prepare(struct plant *plant, struct catalog *catalog, struct err *err)
{
    char key[64];
    struct preparing preparing = {plant, catalog};
    void *prepared;
    (void)snprintf(key, sizeof key, "%p", (void *)catalog);
    return flight_get(plant->prepared, key, prepare, &preparing, &prepared, err);
}

bool plant_catalog(struct plant *plant, const struct source *source, const struct arch *arch,
                   struct catalog **ret_catalog, struct err *err)
{
    struct catalog *catalog;
    if (!plant_find_catalog(plant, source, arch, &catalog, err) || !plant_prepare(plant, catalog, err))
        return false;
    *ret_catalog = catalog;
    return true;
}

bool plant_is_cancelled(const struct plant *plant, struct err *err)
{
    if (!plant->options->cancel || !atomic_load(plant->options->cancel))
        return false;
    err_set(err, ERR_CANCELLED, "interrupted");
    return true;
}

void plant_close(struct plant *plant)
{
    if (!plant->sources)
        return;
    standing_close_all(plant);
    http_stop(plant->http);
    workers_stop(plant->workers);
    supply_close(plant->supply);
    for (struct shared_catalog *shared = plant->opened_catalogs; shared; shared = shared->next)
        catalog_close(shared->catalog);
    for (struct shared_source *shared = plant->opened_sources; shared; shared = shared->next)
        arena_done(&shared->arena);
    flight_free(plant->sources);
    flight_free(plant->catalogs);
    flight_free(plant->prepared);
    flight_free(plant->bases);
    store_close(plant->store);
    packing_room_done(&plant->packing_room);
    pthread_mutex_destroy(&plant->lock);
    arena_done(&plant->arena);
    *plant = (struct plant){0};
}
