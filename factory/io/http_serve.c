/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_serve.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/url.h"
#include "io/http_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define NUMBERS_MAX 64u
#define STORES_MAX 8u
#define PLACES_MAX 100000u
#define WATCHED_MAX ((size_t)1 << 16)
#define PROGRESS_MS ((uint64_t)100)

/* A request that was asked for. */
struct served {
    struct http_watched watched;
    struct http_serve *serve;
    struct http_wired wired;
};

struct opened_store {
    char *path;
    struct digest secret;
    struct store *store;
};

struct http_serve {
    struct channel *channel;
    struct http_serving serving;
    struct http_local local;
    struct arena arena;

    /* the main thread's */
    bool is_sealed;
    struct confine_places places;
    struct http *https[NUMBERS_MAX];
    struct opened_store stores[STORES_MAX];
    size_t store_count;
    bool is_ticking;
    struct workers *keeper;

    pthread_mutex_t lock;   /* guards the rest */
    pthread_cond_t changed; /* predicate: there is one */
    TAILQ_HEAD(, http_watched) watched;
    size_t watched_count;
    unsigned lent[NUMBERS_MAX]; /* how often each of https is lent */
};

/* --- what the call may do --- */

/* What a place leads to now: who may write there can have it lead elsewhere later. */
static void get_places(struct wire_reader *reader, struct arena *arena, bool is_followed, struct strings *ret_places)
{
    size_t count;
    const char *const *places = wire_get_strings(reader, arena, PLACES_MAX, &count);
    for (size_t i = 0; i < count; i++) {
        char *followed = is_followed ? realpath(places[i], NULL) : NULL;
        list_add(arena, ret_places, followed ? arena_strdup(arena, followed) : places[i]);
        free(followed);
    }
}

static void seal(struct http_serve *serve, struct wire_reader *reader)
{
    struct confine_places places = {.shortage = (int)(uint32_t)wire_get(reader)};
    if (serve->is_sealed)
        return;
    get_places(reader, &serve->arena, true, &places.local);
    get_places(reader, &serve->arena, false, &places.writable);
    serve->is_sealed = wire_is_good(reader);
    if (serve->is_sealed)
        serve->places = places;
}

bool http_serve_is_sealed(const struct http_serve *serve)
{
    return serve->is_sealed;
}

/* Whether a path without "." and ".." is one of the places, or below one. */
static bool is_below(const struct strings *places, const char *path)
{
    for (size_t i = 0; i < places->count; i++) {
        size_t len = strlen(places->items[i]);
        while (len && places->items[i][len - 1] == '/')
            len--;
        if (strncmp(path, places->items[i], len) == 0 && (!path[len] || path[len] == '/'))
            return true;
    }
    return false;
}

/* Whether anybody on this machine may read the file: nothing of it is ours alone. */
static bool is_public(const char *path)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct stat status;
    for (const char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
        const char *dir = arena_strndup(&scratch, path, (size_t)(end - path));
        if (stat(dir, &status) != 0 || !(status.st_mode & S_IXOTH))
            return false;
    }
    return stat(path, &status) == 0 && (status.st_mode & S_IROTH);
}

/* The path of what is open; NULL without one. */
static const char *path_of(struct arena *arena, int fd)
{
    char place[64], found[PATH_MAX];
    (void)snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(place, found, sizeof found);
    return len > 0 && (size_t)len < sizeof found && found[0] == '/' ? arena_strndup(arena, found, (size_t)len) : NULL;
}

static bool is_climbing(const char *path)
{
    return strstr(path, "/../") || text_has_suffix(text_of(path), "/..");
}

/* A file of this machine is read for who may not read it himself only where the call may, or anybody may. What is open is
 * judged: the other process can make links where it may write. */
static bool open_local(void *owner, const char *url, int *ret_fd, struct err *err)
{
    const struct http_serve *serve = owner;
    AUTO(arena_done) struct arena scratch = {0};
    struct stat status;
    const char *path = url_local_path(&scratch, url);
    AUTO(auto_close_fd) int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    *ret_fd = -1;
    if (fd < 0 && path && errno_is_shortage(errno)) {
        err_set_errno(err, errno, "%s", url);
        return false;
    }
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    const char *found = path_of(&scratch, fd);
    if (!found || (!is_below(&serve->places.local, found) && !is_public(found))) {
        err_set(err, ERR_USAGE,
                "%s: neither a place that this call names, nor a file that everybody may read: let others read it, or "
                "say --no-confine",
                url);
        return false;
    }
    *ret_fd = take_fd(&fd);
    return true;
}

struct http_serve *http_serve_new(struct channel *channel, const struct http_serving *serving)
{
    struct http_serve *serve = calloc(1, sizeof *serve);
    if (!serve)
        memory_abort(sizeof *serve);
    serve->channel = channel;
    serve->serving = *serving;
    serve->local = (struct http_local){open_local, serve};
    pthread_mutex_init(&serve->lock, NULL);
    pthread_cond_init(&serve->changed, NULL);
    TAILQ_INIT(&serve->watched);
    return serve;
}

/* --- answers --- */

static void answer_nothing(struct http_serve *serve, uint64_t id)
{
    (void)!channel_send(serve->channel, BROKER_ANSWER, id, (struct text){"", 0}, -1);
}

static void drop(struct served *served)
{
    buf_done(&served->wired.request.body);
    arena_done(&served->wired.arena);
    free(served);
}

static bool watch(struct http_serve *serve, struct http_watched *watched)
{
    pthread_mutex_lock(&serve->lock);
    TAILQ_INSERT_TAIL(&serve->watched, watched, link);
    bool is_fine = ++serve->watched_count <= WATCHED_MAX;
    pthread_cond_signal(&serve->changed);
    pthread_mutex_unlock(&serve->lock);
    return is_fine;
}

static void unwatch(struct http_serve *serve, struct http_watched *watched)
{
    pthread_mutex_lock(&serve->lock);
    TAILQ_REMOVE(&serve->watched, watched, link);
    serve->watched_count--;
    pthread_mutex_unlock(&serve->lock);
}

/* On the network thread. */
static void done(struct http_request *request)
{
    struct served *served = request->owner;
    AUTO(wire_done) struct wire_writer writer;
    wire_begin(&writer, PTRDIFF_MAX / 2);
    http_wire_put_answer(&writer, &served->wired);
    unwatch(served->serve, &served->watched);
    (void)!channel_send(served->serve->channel, BROKER_ANSWER, served->watched.id, buf_text(&writer.bytes), -1);
    drop(served);
}

/* Tells how far it is. Called with the lock held, so that its answer comes later. */
static void tell_progress(struct http_serve *serve, struct http_watched *watched)
{
    AUTO(wire_done) struct wire_writer writer = {0};
    struct http_counted now = {atomic_load(&watched->received), atomic_load(&watched->sent)};
    if (now.received == watched->told.received && now.sent == watched->told.sent)
        return;
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    http_wire_put_progress(&writer, now);
    watched->told = now;
    (void)!channel_send(serve->channel, BROKER_PROGRESS, watched->id, buf_text(&writer.bytes), -1);
}

static void *tick_main(void *argument)
{
    struct http_serve *serve = argument;
    for (;;) {
        struct http_watched *watched;
        pthread_mutex_lock(&serve->lock);
        while (TAILQ_EMPTY(&serve->watched))
            pthread_cond_wait(&serve->changed, &serve->lock);
        TAILQ_FOREACH(watched, &serve->watched, link)
        tell_progress(serve, watched);
        pthread_mutex_unlock(&serve->lock);
        clock_sleep_ms(PROGRESS_MS);
    }
    return NULL;
}

/* --- requests --- */

bool http_serve_store(struct http_serve *serve, const struct store_name *name, struct store **ret_store,
                      struct err *err)
{
    for (size_t i = 0; i < serve->store_count; i++) {
        const struct opened_store *opened = &serve->stores[i];
        if (strcmp(opened->path, name->path) == 0 && digest_eq(&opened->secret, &name->secret)) {
            *ret_store = opened->store;
            return true;
        }
    }
    const struct strings *writable = &serve->places.writable;
    bool is_place = strings_has(writable, name->path) || (!is_climbing(name->path) && is_below(writable, name->path));
    if (serve->store_count == STORES_MAX || !is_place) {
        err_set(err, ERR_INTERNAL, "%s is no cache of this call", name->path);
        return false;
    }
    struct opened_store *opened = &serve->stores[serve->store_count];
    if (!store_open(name->path, NULL, &opened->store, err))
        return false;
    store_use_secret(opened->store, &name->secret);
    opened->path = strdup(name->path);
    opened->secret = name->secret;
    if (!opened->path)
        memory_abort(strlen(name->path));
    serve->store_count++;
    *ret_store = opened->store;
    return true;
}

static void close_stores(struct http_serve *serve)
{
    while (serve->store_count) {
        struct opened_store *opened = &serve->stores[--serve->store_count];
        store_close(opened->store);
        free(opened->path);
    }
}

/* From then on this thread, and those that it starts, change nothing but what the call may, wherever links lead. */
struct workers *http_serve_keeper(struct http_serve *serve, struct err *err)
{
    if (serve->keeper)
        return serve->keeper;
    if (!serve->is_sealed) {
        err_set(err, ERR_INTERNAL, "a request before it was said what the call may do");
        return NULL;
    }
    if (!workers_start(1, &serve->keeper, err))
        return NULL;
    confine_network(&serve->places);
    return serve->keeper;
}

static bool start(struct http_serve *serve, unsigned number, struct err *err)
{
    struct http_options options = {0};
    struct workers *keeper = http_serve_keeper(serve, err);
    pthread_t thread;
    if (!keeper)
        return false;
    if (!serve->is_ticking && pthread_create(&thread, NULL, tick_main, serve) == 0)
        serve->is_ticking = pthread_detach(thread) == 0;
    if (serve->https[number])
        return true;
    serve->serving.options(serve->serving.owner, &options);
    options.broker = NULL;
    options.keeper = keeper;
    options.cache_from = NULL;
    options.confined = &serve->places;
    return http_start(&options, &serve->https[number], err);
}

static bool prepare(struct http_serve *serve, struct served *served, unsigned number, struct err *err)
{
    struct http_request *request = &served->wired.request;
    struct store_name name = {served->wired.store_path, served->wired.store_secret};
    request->local = &serve->local;
    return start(serve, number, err) &&
           (!served->wired.has_store || http_serve_store(serve, &name, &request->store, err));
}

/* Ends a request that was not sent, as the network thread would. */
static void refuse(struct served *served, struct err *err)
{
    served->wired.request.err = *err;
    served->wired.request.is_good = false;
    done(&served->wired.request);
}

static void serve_request(struct http_serve *serve, struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    struct err err = {0};
    unsigned number = (unsigned)wire_get_below(&reader, NUMBERS_MAX - 1);
    struct served *served = calloc(1, sizeof *served);
    if (!served)
        memory_abort(sizeof *served);
    served->serve = serve;
    served->watched.id = frame->id;
    served->wired.request.done = done;
    served->wired.request.owner = served;
    bool is_good = http_wire_get_request(&reader, &served->wired);
    if (!is_good || frame->fd >= 0) {
        drop(served);
        answer_nothing(serve, frame->id);
        return;
    }
    served->wired.request.counter = &served->watched.received;
    bool is_too_many = !watch(serve, &served->watched);
    if (is_too_many)
        err_set(&err, ERR_INTERNAL, "more requests at a time than %zu", WATCHED_MAX);
    if (!is_too_many && prepare(serve, served, number, &err))
        http_send(serve->https[number], &served->wired.request);
    else
        refuse(served, &err);
}

/* Requests that are under way are told of their end before the answer to this is sent. */
static void serve_end(struct http_serve *serve, const struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    unsigned number = (unsigned)wire_get_below(&reader, NUMBERS_MAX - 1);
    bool is_any = false;
    pthread_mutex_lock(&serve->lock);
    bool is_lent = serve->lent[number];
    pthread_mutex_unlock(&serve->lock);
    if (wire_is_good(&reader) && !is_lent) { /* who still has it under way is told nothing wrong: all goes on */
        http_stop(serve->https[number]);
        serve->https[number] = NULL;
    }
    for (size_t i = 0; i < NUMBERS_MAX; i++)
        is_any = is_any || serve->https[i];
    if (!is_any)
        close_stores(serve);
    answer_nothing(serve, frame->id);
}

bool http_serve_lend(struct http_serve *serve, unsigned number, struct http_watched *watched, struct http **ret_http,
                     struct err *err)
{
    if (number >= NUMBERS_MAX || !start(serve, number, err)) {
        if (err->kind == ERR_NONE)
            err_set(err, ERR_INTERNAL, "a number that no struct http has");
        return false;
    }
    pthread_mutex_lock(&serve->lock);
    serve->lent[number]++;
    pthread_mutex_unlock(&serve->lock);
    *ret_http = serve->https[number];
    if (watch(serve, watched))
        return true;
    http_serve_return(serve, number, watched);
    err_set(err, ERR_INTERNAL, "more requests at a time than %zu", WATCHED_MAX);
    return false;
}

void http_serve_return(struct http_serve *serve, unsigned number, struct http_watched *watched)
{
    unwatch(serve, watched);
    pthread_mutex_lock(&serve->lock);
    serve->lent[number]--;
    pthread_mutex_unlock(&serve->lock);
}

bool http_serve_take(struct http_serve *serve, struct frame *frame)
{
    struct wire_reader reader = {buf_text(&frame->bytes), false};
    if (frame->kind == BROKER_SEAL)
        seal(serve, &reader);
    else if (frame->kind == BROKER_HTTP)
        serve_request(serve, frame);
    else if (frame->kind == BROKER_HTTP_END)
        serve_end(serve, frame);
    else
        return false;
    return true;
}
