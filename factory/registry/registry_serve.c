/* SPDX-License-Identifier: Apache-2.0 */
/* A repository here is the same struct registry as without a broker, and runs the same code. It is known to the other
 * process by a number that was never given to another. */
#include "registry/registry_serve.h"

#include "base/auto.h"
#include "registry/registries_conf.h"
#include "registry/registry_shared.h"
#include "registry/registry_wire.h"

#define HELD_MAX 4096u
#define SESSIONS_MAX 100000u

/* A repository that is open. */
struct held {
    struct held *next;
    uint64_t remote;
    unsigned number; /* of the struct http */
    struct registry_options options;
    struct registry *registry;

    /* guarded by serve.lock */
    unsigned user_count;  /* exchanges that are under way, and one until it is closed */
    struct arena arena;   /* of the next */
    struct map locations; /* that the registry answered with: no other URL is asked for; without query */
    size_t location_count;
};

struct registry_serve {
    struct channel *channel;
    struct http_serve *network;
    const struct registry_options *options;
    enum registry_access most;
    struct registry_shared *shared;
    struct workers
        *spawner; /* starts the threads of exchanges: confined, as they read what registries say; or NULL so far */
    /* the main thread's */
    struct held *held;
    size_t held_count;
    uint64_t last_remote;
    pthread_mutex_t lock;
};

/* Threads that read a registry's words open nothing and make no socket, though this process could. */
static void confine_spawner(void *item)
{
    struct registry_serve *serve = item;
    AUTO(arena_done) struct arena scratch = {0};
    const struct confine_places none = {.channel = serve->channel};
    (void)confine_readers(&scratch, &none); /* what a kernel has not got was told by the other process */
}

static bool start_threads(struct registry_serve *serve, struct err *err)
{
    void *items[] = {serve};
    if (serve->spawner)
        return true;
    if (!workers_start(1, &serve->spawner, err))
        return false;
    workers_run_all(serve->spawner, confine_spawner, items, ARRAY_COUNT(items));
    return true;
}

/* An exchange that is under way. */
struct serving {
    struct http_watched watched;
    struct registry_serve *serve;
    struct held *held;
    struct arena arena;
    struct registry_wired_exchange wired;
};

struct registry_serve *registry_serve_new(struct channel *channel, struct http_serve *network,
                                          const struct registry_options *options, enum registry_access most)
{
    struct registry_serve *serve = calloc(1, sizeof *serve);
    if (!serve)
        memory_abort(sizeof *serve);
    serve->channel = channel;
    serve->network = network;
    serve->options = options;
    serve->most = most;
    serve->shared = registry_shared_new();
    pthread_mutex_init(&serve->lock, NULL);
    return serve;
}

static void answer_nothing(struct registry_serve *serve, uint64_t id)
{
    (void)!channel_send(serve->channel, BROKER_ANSWER, id, (struct text){"", 0}, -1);
}

static struct held *find_held(struct registry_serve *serve, uint64_t remote)
{
    struct held *held = serve->held;
    while (held && held->remote != remote)
        held = held->next;
    return held;
}

/* --- opening --- */

static void free_held(struct held *held)
{
    registry_close(held->registry);
    arena_done(&held->arena);
    free(held);
}

/* Only the call, or the administrator's file, can say that nobody vouches for a registry. */
static bool is_verify_off(struct registry_serve *serve, struct arena *arena, const struct registry_wired_open *open,
                          const struct reference *reference, bool *ret_is_off, struct err *err)
{
    *ret_is_off = serve->options->is_verify_off;
    if (*ret_is_off || !open->is_verify_off)
        return true;
    return registries_conf_is_insecure(arena, reference, ret_is_off, err);
}

/* Where the API is, follows from the name. */
static bool read_name(struct arena *arena, const char *name, struct reference *ret_reference, struct err *err)
{
    size_t len = strlen(name);
    bool is_host = len && name[len - 1] == '/'; /* a login */
    const char *whole = is_host ? arena_printf(arena, "%sx", name) : name;
    if (!reference_parse(arena, whole, false, ret_reference, err))
        return false;
    if (is_host)
        ret_reference->repository = "";
    return true;
}

static bool open_held(struct registry_serve *serve, const struct registry_wired_open *open, struct held *held,
                      struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct reference reference, other;
    held->options = *serve->options;
    held->options.keeper = http_serve_keeper(serve->network, err);
    if (!held->options.keeper || !start_threads(serve, err))
        return false;
    if (!read_name(&scratch, open->name, &reference, err) ||
        !is_verify_off(serve, &scratch, open, &reference, &held->options.is_verify_off, err))
        return false;
    held->options.is_other_there = open->is_other_there;
    held->options.retries = open->retries;
    held->options.retry_base_ms = open->retry_base_ms;
    held->options.deadline_ms = open->deadline_ms;
    held->options.shared = open->together.count ? serve->shared : NULL;
    held->number = open->number;
    other = reference;
    for (size_t i = 0; i < open->together.count; i++) {
        other.repository = open->together.items[i];
        registry_shared_add(serve->shared, &other);
    }
    return registry_open(&held->options, NULL, &reference, open->access, &held->registry, err);
}

static void tell_opened(struct registry_serve *serve, uint64_t id, uint64_t remote, const struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put(&writer, remote);
    wire_put_err(&writer, err);
    (void)!channel_send(serve->channel, BROKER_ANSWER, id, buf_text(&writer.bytes), -1);
}

static void serve_open(struct registry_serve *serve, const struct frame *frame)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct registry_wired_open open;
    struct err err = {0};
    if (!registry_wire_get_open(&reader, &scratch, &open) || open.access > serve->most ||
        serve->held_count >= HELD_MAX) {
        answer_nothing(serve, frame->id);
        return;
    }
    struct held *held = calloc(1, sizeof *held);
    if (!held)
        memory_abort(sizeof *held);
    held->locations.arena = &held->arena;
    if (open_held(serve, &open, held, &err)) {
        held->remote = ++serve->last_remote;
        held->user_count = 1;
        held->next = serve->held;
        serve->held = held;
        serve->held_count++;
        tell_opened(serve, frame->id, held->remote, &err);
    } else {
        free_held(held);
        tell_opened(serve, frame->id, 0, &err);
    }
}

/* --- closing --- */

static void give_back(struct registry_serve *serve, struct held *held)
{
    pthread_mutex_lock(&serve->lock);
    bool is_last = --held->user_count == 0;
    pthread_mutex_unlock(&serve->lock);
    if (is_last)
        free_held(held);
}

static void serve_close(struct registry_serve *serve, uint64_t remote)
{
    struct held **place = &serve->held, *held;
    while (*place && (*place)->remote != remote)
        place = &(*place)->next;
    held = *place;
    if (!held)
        return;
    *place = held->next;
    serve->held_count--;
    give_back(serve, held);
}

/* --- exchanges --- */

static void drop(struct serving *serving)
{
    if (serving->wired.exchange.has_fd)
        auto_close_fd(&serving->wired.exchange.fd);
    exchange_done(&serving->wired.exchange);
    arena_done(&serving->arena);
    free(serving);
}

static struct text without_query(const char *url)
{
    return (struct text){url, strcspn(url, "?")};
}

/* Notes where the answer leads: only there may the next request of a session go. */
static void note_location(struct serving *serving)
{
    struct held *held = serving->held;
    const char *url = exchange_location(held->registry, &serving->arena, &serving->wired.exchange);
    if (!url)
        return;
    struct text place = without_query(url);
    pthread_mutex_lock(&serving->serve->lock);
    if (held->location_count < SESSIONS_MAX && !map_get(&held->locations, place)) {
        place = (struct text){arena_strndup(&held->arena, place.ptr, place.len), place.len};
        held->location_count += map_add(&held->locations, place, held);
    }
    pthread_mutex_unlock(&serving->serve->lock);
}

static bool is_where_an_answer_leads(struct registry_serve *serve, const struct held *held, const char *url)
{
    pthread_mutex_lock(&serve->lock);
    bool is_known = map_get(&held->locations, without_query(url)) != NULL;
    pthread_mutex_unlock(&serve->lock);
    return is_known;
}

static void tell_exchanged(struct serving *serving, bool is_good, const struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    struct registry *registry = serving->held->registry;
    struct registry_wired_answer answer = {
        .is_good = is_good,
        .err = *err,
        .scheme = atomic_load(&registry->scheme),
        .has_answered = atomic_load(&registry->has_answered),
        .has_credential = atomic_load(&registry->has_credential),
        .not_before_ms = atomic_load(registry->not_before_ms),
        .counted = {atomic_load(&serving->watched.received), atomic_load(&serving->watched.sent)}};
    wire_begin(&writer, PTRDIFF_MAX / 2);
    registry_wire_put_answer(&writer, &answer, &serving->wired.exchange);
    http_serve_return(serving->serve->network, serving->held->number, &serving->watched);
    (void)!channel_send(serving->serve->channel, BROKER_ANSWER, serving->watched.id, buf_text(&writer.bytes), -1);
}

static void *exchange_main(void *argument)
{
    struct serving *serving = argument;
    struct registry *registry = serving->held->registry;
    struct exchange *exchange = &serving->wired.exchange;
    struct err err = {0};
    uint64_t before = atomic_load(registry->not_before_ms);
    while (before < serving->wired.not_before_ms &&
           !atomic_compare_exchange_weak(registry->not_before_ms, &before, serving->wired.not_before_ms))
        ;
    atomic_store(&registry->is_ending_late, serving->wired.is_ending_late);
    bool is_good = serving->wired.sending == SENDING_WHOLE ? registry_exchange(registry, exchange, &err)
                                                           : registry_send_once(registry, exchange, &err);
    if (is_good) {
        err_clear(&err);
        note_location(serving);
    }
    tell_exchanged(serving, is_good, &err);
    give_back(serving->serve, serving->held);
    drop(serving);
    return NULL;
}

/* On the spawner. */
static void start_exchange(void *item)
{
    struct serving *serving = item;
    struct err err = {0};
    pthread_t thread;
    int failed = pthread_create(&thread, NULL, exchange_main, serving);
    if (!failed) {
        (void)pthread_detach(thread);
        return;
    }
    err_set_errno(&err, failed, "cannot start a thread");
    tell_exchanged(serving, false, &err);
    give_back(serving->serve, serving->held);
    drop(serving);
}

/* Looks at what is asked for, and lends it what it needs. */
static bool prepare(struct registry_serve *serve, struct serving *serving, struct frame *frame, struct err *err)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct exchange *exchange = &serving->wired.exchange;
    struct http *http;
    bool is_good = registry_wire_get_exchange(&reader, &serving->arena, &serving->wired);
    bool wants_fd = exchange->has_fd;
    exchange->has_fd = false;
    serving->held = is_good ? find_held(serve, serving->wired.remote) : NULL;
    if (!serving->held || wants_fd != (frame->fd >= 0) || exchange->access > serving->held->registry->access ||
        (exchange->url && !is_where_an_answer_leads(serve, serving->held, exchange->url)) ||
        !http_serve_lend(serve->network, serving->held->number, &serving->watched, &http, err))
        return false;
    if (serving->wired.has_store && !http_serve_store(serve->network, &serving->wired.store, &exchange->store, err)) {
        http_serve_return(serve->network, serving->held->number, &serving->watched);
        return false;
    }
    exchange->has_fd = wants_fd;
    exchange->fd = take_fd(&frame->fd);
    exchange->received_counter = &serving->watched.received;
    exchange->sent_counter = &serving->watched.sent;
    if (serving->held->registry->http != http) /* the same as long as anybody has it, who may be reading it */
        serving->held->registry->http = http;
    return true;
}

static void tell_refused(struct registry_serve *serve, uint64_t id, const struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    struct registry_wired_answer answer = {.err = *err};
    const struct exchange none = {.is_hopeless = true};
    wire_begin(&writer, PTRDIFF_MAX / 2);
    registry_wire_put_answer(&writer, &answer, &none);
    (void)!channel_send(serve->channel, BROKER_ANSWER, id, buf_text(&writer.bytes), -1);
}

static void serve_exchange(struct registry_serve *serve, struct frame *frame)
{
    struct serving *serving = calloc(1, sizeof *serving);
    struct err err = {0};
    if (!serving)
        memory_abort(sizeof *serving);
    serving->serve = serve;
    serving->watched.id = frame->id;
    if (!prepare(serve, serving, frame, &err)) {
        if (err.kind)
            tell_refused(serve, frame->id, &err);
        else
            answer_nothing(serve, frame->id);
        drop(serving);
        return;
    }
    pthread_mutex_lock(&serve->lock);
    serving->held->user_count++;
    pthread_mutex_unlock(&serve->lock);
    workers_submit(serve->spawner, start_exchange, serving);
}

bool registry_serve_take(struct registry_serve *serve, struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    if (frame->kind == BROKER_REGISTRY_OPEN) {
        serve_open(serve, frame);
    } else if (frame->kind == BROKER_REGISTRY_EXCHANGE) {
        serve_exchange(serve, frame);
    } else if (frame->kind == BROKER_REGISTRY_CLOSE) {
        serve_close(serve, wire_get(&reader));
    } else if (frame->kind == BROKER_REGISTRY_PUSHES) {
        struct held *held = find_held(serve, wire_get(&reader));
        if (held)
            registry_shared_will_push(held->registry);
    } else {
        return false;
    }
    return true;
}
