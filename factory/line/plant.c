/* SPDX-License-Identifier: Apache-2.0 */
#include "line/plant.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "io/hashed.h"
#include "io/secret.h"
#include "io/store_prune.h"
#include "line/standing.h"
#include "sbom/sbom_sums.h"
#include "source/format.h"

#include <stdlib.h>

#define ROUNDS_MAX 16u /* looks at once: mirrors have few generations, unless they make fun of us */
#define PAUSE_MS ((uint64_t)1000)
#define PAUSE_MAX_MS ((uint64_t)30 * 1000)
#define POLL_MS ((uint64_t)100)

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
    const char *lacking = options->confined ? confine_readers(&plant->arena, options->confined) : NULL;
    if (lacking)
        log_line(plant->log, LOG_VERBOSE, "readers are not confined as they should be: %s", lacking);
}

enum packing plant_packing(const struct run_options *options, const struct manifest *manifest)
{
    enum packing packing;
    bool is_own = !options->is_packing_given && manifest->compression && packing_parse(manifest->compression, &packing);
    return is_own ? packing : options->inputs.compression;
}

void plant_set_layers(const struct run_options *options, const struct manifest *manifest, struct inputs *inputs)
{
    bool is_own = !options->is_layers_given && manifest->layers && layers_parse(manifest->layers, &inputs->layers);
    if (!is_own)
        inputs->layers = options->inputs.layers;
    inputs->layer_plan = inputs->layers > LAYERS_UNPLANNED ? options->inputs.layer_plan : (struct strings){0};
}

void plant_set_packing(struct arena *arena, enum packing packing, struct inputs *inputs)
{
    enum layer_compression compressions[LAYER_COMPRESSIONS_MAX];
    size_t count = layer_compressions(packing, compressions);
    struct layer_encoder encoder = layer_encoder(compressions[0]);
    inputs->compression = packing;
    inputs->encoder = arena_strdup(arena, encoder.name);
    inputs->encoder_code = encoder.code;
    if (count == 1)
        return;
    struct layer_encoder second = layer_encoder(compressions[1]);
    struct digest codes[] = {encoder.code, second.code};
    inputs->encoder = arena_printf(arena, "%s, %s", encoder.name, second.name);
    inputs->encoder_code = digest_of(codes, sizeof codes);
}

bool plant_open(const struct run_options *options, struct log *log, struct plant *ret_plant, struct err *err)
{
    *ret_plant = (struct plant){.options = options, .log = log};
    pthread_mutex_init(&ret_plant->lock, NULL);
    ret_plant->sources = flight_new();
    ret_plant->catalogs = flight_new();
    ret_plant->prepared = flight_new();
    ret_plant->bases = flight_new();
    ret_plant->inputs = options->inputs;
    plant_set_packing(&ret_plant->arena, options->inputs.compression, &ret_plant->inputs);
    if (!open_places(options, ret_plant, err)) {
        plant_close(ret_plant);
        return false;
    }
    confine(options, ret_plant);
    if (!http_start(&options->http, &ret_plant->http, err) || !workers_start(options->jobs, &ret_plant->workers, err)) {
        plant_close(ret_plant);
        return false;
    }
    ret_plant->sums_seen = sbom_seen_open();
    ret_plant->supply = supply_open(ret_plant->store, ret_plant->http, ret_plant->workers);
    ret_plant->env = (struct source_env){.http = ret_plant->http,
                                         .store = ret_plant->store,
                                         .log = log,
                                         .state_dir = options->state_dir,
                                         .cancel = options->cancel,
                                         .now = options->now,
                                         .wait = options->wait,
                                         .pins = options->pins,
                                         .is_cache_only = options->is_cache_only,
                                         .is_change_accepted = options->is_change_accepted};
    return true;
}

/* How often the metadata of a source were looked at anew. */
struct source_look {
    struct source_look *next;
    const struct source *source;
    struct source_env env; /* the plant's, with generations of its own */
    size_t number;         /* of the present look */
    unsigned round_count;  /* looks since the last wait */
    uint64_t deadline_ms;  /* of waiting; 0: nobody waited yet */
    uint64_t pause_ms;     /* before the next look */
    bool is_settled;       /* what lacks something is taken all the same */
};

/* Finds what is noted of a source, or begins it. Called with the lock held. */
static struct source_look *find_look(struct plant *plant, const struct source *source)
{
    struct source_look *look = plant->looks;
    while (look && look->source != source)
        look = look->next;
    if (look)
        return look;
    look = arena_new(&plant->arena, struct source_look);
    *look = (struct source_look){.next = plant->looks, .source = source, .env = plant->env, .pause_ms = PAUSE_MS};
    look->env.generations = generations_new();
    plant->looks = look;
    return look;
}

size_t plant_look(struct plant *plant, const struct source *source)
{
    pthread_mutex_lock(&plant->lock);
    size_t number = find_look(plant, source)->number;
    pthread_mutex_unlock(&plant->lock);
    return number;
}

/* Says how long to wait before the next look; 0: not at all, since there may be another generation now. False: no longer. */
static bool find_pause(const struct plant *plant, struct source_look *look, bool is_lost, uint64_t *ret_pause_ms)
{
    uint64_t now = clock_ms();
    *ret_pause_ms = 0;
    if (!is_lost && look->round_count < ROUNDS_MAX)
        return true;
    if (!look->deadline_ms)
        look->deadline_ms = now + plant->options->sync_wait_ms;
    if (now >= look->deadline_ms)
        return false;
    uint64_t left_ms = look->deadline_ms - now;
    *ret_pause_ms = look->pause_ms < left_ms ? look->pause_ms : left_ms;
    return true;
}

/* Waits; false when a signal came. */
static bool pause_for(const struct plant *plant, uint64_t ms, struct err *err)
{
    for (uint64_t end = clock_ms() + ms, now; (now = clock_ms()) < end;) {
        if (plant_is_cancelled(plant, err))
            return false;
        clock_sleep_ms(end - now < POLL_MS ? end - now : POLL_MS);
    }
    return true;
}

/* Makes the next look another one, unless somebody did so meanwhile. */
static void turn(struct plant *plant, const struct source *source, size_t number, uint64_t paused_ms)
{
    pthread_mutex_lock(&plant->lock);
    struct source_look *look = find_look(plant, source);
    if (look->number == number) {
        look->number++;
        look->round_count = paused_ms ? 0 : look->round_count + 1;
        if (paused_ms) {
            generations_forget(look->env.generations);
            look->pause_ms = look->pause_ms * 2 < PAUSE_MAX_MS ? look->pause_ms * 2 : PAUSE_MAX_MS;
        }
    }
    pthread_mutex_unlock(&plant->lock);
}

/* When no wait brings better generations than those that were passed over, they have to do: who needs nothing that they lack is made of
 * them. Called with the lock held. */
static bool settle(struct source_look *look)
{
    if (!generations_settle(look->env.generations))
        return false;
    look->number++;
    look->is_settled = true;
    return true;
}

bool plant_look_again(struct plant *plant, const struct source *source, size_t number, struct err *first,
                      struct err *err)
{
    bool is_lost = err->detail == GENERATIONS_ALL_LOST;
    if (!generations_is_race(err) || plant->options->is_cache_only || plant->options->pins)
        return false;
    if (!is_lost || !first->kind)
        *first = *err;
    pthread_mutex_lock(&plant->lock);
    struct source_look *look = find_look(plant, source);
    uint64_t pause_ms = 0;
    bool is_open = !look->is_settled, is_own = first->detail != GENERATIONS_ALL_LOST;
    bool is_worth = look->number != number || (is_open && find_pause(plant, look, is_lost, &pause_ms));
    if (!is_worth && is_open && is_lost) /* for the others, when it was this order that missed something */
        is_worth = settle(look) && !is_own;
    pthread_mutex_unlock(&plant->lock);
    *err = *first;
    if (!is_worth)
        return false;
    if (pause_ms)
        log_line(plant->log, LOG_NORMAL, "%s; it is asked again in %s", first->text, units_duration(pause_ms).chars);
    err_clear(err);
    if (pause_ms && !pause_for(plant, pause_ms, err))
        return false;
    turn(plant, source, number, pause_ms);
    return true;
}

struct source_question {
    struct plant *plant;
    const struct source *source;
    const struct source_env *env;
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
    return question->source->format->share(question->env, &shared->arena, question->source, ret_result, err);
}

static bool make_catalog(void *argument, void **ret_result, struct err *err)
{
    const struct source_question *question = argument;
    struct plant *plant = question->plant;
    struct catalog *catalog;
    struct catalog_request request = {.env = question->env,
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
    char key[96];
    pthread_mutex_lock(&plant->lock);
    const struct source_look *found = find_look(plant, source);
    struct source_question question = {.plant = plant, .source = source, .env = &found->env, .arch = arch};
    size_t look = found->number;
    pthread_mutex_unlock(&plant->lock);
    void *shared, *catalog;
    (void)snprintf(key, sizeof key, "%p %zu", (const void *)source, look);
    if (!flight_get(plant->sources, key, make_source, &question, &shared, err))
        return false;
    question.shared = shared;
    (void)snprintf(key, sizeof key, "%p %p %zu", (const void *)source, (const void *)arch, look);
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
    struct err first = {0};
    for (;;) {
        size_t look = plant_look(plant, source);
        if (plant_find_catalog(plant, source, arch, &catalog, err) && plant_prepare(plant, catalog, err))
            break;
        if (!plant_look_again(plant, source, look, &first, err))
            return false;
    }
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
    sbom_seen_close(plant->sums_seen);
    for (struct shared_catalog *shared = plant->opened_catalogs; shared; shared = shared->next)
        catalog_close(shared->catalog);
    for (struct shared_source *shared = plant->opened_sources; shared; shared = shared->next)
        arena_done(&shared->arena);
    flight_free(plant->sources);
    flight_free(plant->catalogs);
    flight_free(plant->prepared);
    flight_free(plant->bases);
    for (struct source_look *look = plant->looks; look; look = look->next)
        generations_free(look->env.generations);
    store_close(plant->store);
    pthread_mutex_destroy(&plant->lock);
    arena_done(&plant->arena);
    *plant = (struct plant){0};
}
