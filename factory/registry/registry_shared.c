/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_shared.h"
#include "registry/registry_remote.h"

#include "base/auto.h"
#include "base/clock.h"

#define BODIES_MAX 12 /* uploads at a time; of their bodies http.h sends 6 */
#define LOOK_MS ((uint64_t)50)

/* Where a blob is, or that an image brings it. */
struct shared_blob {
    struct digest digest;
    const char *repository; /* NULL: nowhere yet */
    bool is_coming;
};

/* One that waits for its place. */
struct place {
    uint64_t bytes;
    struct place *next;
};

struct registry_shared {
    pthread_mutex_t lock;   /* guards the rest, and what shared_host says */
    pthread_cond_t changed; /* predicates: a blob is no more coming; a place is free */
    struct arena arena;
    LIST(struct shared_host *) hosts;
    struct place *waiting;
    size_t body_count;
};

struct registry_shared *registry_shared_new(void)
{
    struct registry_shared *shared = calloc(1, sizeof *shared);
    if (!shared)
        memory_abort(sizeof *shared);
    pthread_mutex_init(&shared->lock, NULL);
    clock_cond_init(&shared->changed);
    return shared;
}

/* Under the lock. */
static struct shared_host *find_host(struct registry_shared *shared, const char *name)
{
    for (size_t i = 0; i < shared->hosts.count; i++) {
        if (strcmp(shared->hosts.items[i]->name, name) == 0)
            return shared->hosts.items[i];
    }
    struct shared_host *host = arena_new(&shared->arena, struct shared_host);
    *host = (struct shared_host){
        .name = arena_strdup(&shared->arena, name), .shared = shared, .blobs.arena = &shared->arena};
    pthread_mutex_init(&host->token_lock, NULL);
    list_add(&shared->arena, &shared->hosts, host);
    return host;
}

struct shared_host *registry_shared_host(struct registry_shared *shared, const char *name)
{
    if (!shared)
        return NULL;
    pthread_mutex_lock(&shared->lock);
    struct shared_host *host = find_host(shared, name);
    pthread_mutex_unlock(&shared->lock);
    return host;
}

static void add_once(struct registry_shared *shared, struct strings *strings, const char *text)
{
    if (!strings_has(strings, text))
        list_add(&shared->arena, strings, arena_strdup(&shared->arena, text));
}

void registry_shared_add(struct registry_shared *shared, const struct reference *reference)
{
    pthread_mutex_lock(&shared->lock);
    add_once(shared, &find_host(shared, reference->host)->repositories, reference->repository);
    pthread_mutex_unlock(&shared->lock);
}

void registry_shared_free(struct registry_shared *shared)
{
    if (!shared)
        return;
    for (size_t i = 0; i < shared->hosts.count; i++) {
        struct shared_host *host = shared->hosts.items[i];
        for (size_t j = 0; j < host->tokens.count; j++)
            secret_done(&host->tokens.items[j].value);
        pthread_mutex_destroy(&host->token_lock);
        arena_done(&host->arena);
    }
    pthread_mutex_destroy(&shared->lock);
    pthread_cond_destroy(&shared->changed);
    arena_done(&shared->arena);
    free(shared);
}

void registry_shared_will_push(struct registry *registry)
{
    struct shared_host *host = registry->host;
    if (!host)
        return;
    pthread_mutex_lock(&host->shared->lock);
    add_once(host->shared, &host->pushing, registry->reference.repository);
    pthread_mutex_unlock(&host->shared->lock);
    registry_remote_pushes(registry);
}

struct strings registry_shared_repositories(struct arena *arena, const struct registry *registry,
                                            enum registry_access access)
{
    struct shared_host *host = registry->host;
    struct strings names = {0};
    pthread_mutex_lock(&host->shared->lock);
    const struct strings *all = access == REGISTRY_PUSH ? &host->pushing : &host->repositories;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i], registry->reference.repository) != 0)
            list_add(arena, &names, all->items[i]);
    }
    pthread_mutex_unlock(&host->shared->lock);
    return names;
}

/* Waits a moment for a change, under the lock; false when the run ends. */
static bool wait(struct registry *registry, struct err *err)
{
    struct registry_shared *shared = registry->host->shared;
    clock_wait_ms(&shared->changed, &shared->lock, LOOK_MS);
    return registry_sleep(registry, 0, err);
}

/* Under the lock. */
static struct shared_blob *find_blob(struct shared_host *host, const struct digest *digest)
{
    struct text key = {(const char *)digest->bytes, sizeof digest->bytes};
    struct shared_blob *blob = map_get(&host->blobs, key);
    if (blob)
        return blob;
    blob = arena_new(&host->shared->arena, struct shared_blob);
    blob->digest = *digest;
    (void)map_add(&host->blobs, (struct text){(const char *)blob->digest.bytes, sizeof blob->digest.bytes}, blob);
    return blob;
}

bool registry_shared_claim(struct registry *registry, const struct digest *digest, const char **ret_repository,
                           struct err *err)
{
    struct shared_host *host = registry->host;
    *ret_repository = NULL;
    if (!host)
        return true;
    pthread_mutex_lock(&host->shared->lock);
    struct shared_blob *blob = find_blob(host, digest);
    bool is_going_on = true;
    while (blob->is_coming && is_going_on)
        is_going_on = wait(registry, err);
    *ret_repository = blob->repository;
    if (is_going_on && !blob->repository)
        blob->is_coming = true;
    pthread_mutex_unlock(&host->shared->lock);
    return is_going_on;
}

void registry_shared_settle(struct registry *registry, const struct digest *digest, bool is_there)
{
    struct shared_host *host = registry->host;
    if (!host)
        return;
    pthread_mutex_lock(&host->shared->lock);
    struct shared_blob *blob = find_blob(host, digest);
    blob->is_coming = false;
    if (is_there && !blob->repository)
        blob->repository = arena_strdup(&host->shared->arena, registry->reference.repository);
    pthread_cond_broadcast(&host->shared->changed);
    pthread_mutex_unlock(&host->shared->lock);
}

/* Whether nobody who waits has a bigger body; of equals the first of the list goes. */
static bool is_first(const struct registry_shared *shared, const struct place *own)
{
    const struct place *first = own;
    for (const struct place *place = shared->waiting; place; place = place->next) {
        if (place->bytes > first->bytes)
            first = place;
    }
    return first == own;
}

static void remove_place(struct registry_shared *shared, const struct place *own)
{
    struct place **link = &shared->waiting;
    while (*link && *link != own)
        link = &(*link)->next;
    if (*link)
        *link = own->next;
}

bool registry_shared_enter(struct registry *registry, uint64_t bytes, struct err *err)
{
    struct registry_shared *shared = registry->host ? registry->host->shared : NULL;
    struct place own = {.bytes = bytes};
    bool is_going_on = true;
    if (!shared)
        return true;
    pthread_mutex_lock(&shared->lock);
    own.next = shared->waiting;
    shared->waiting = &own;
    while (is_going_on && (shared->body_count >= BODIES_MAX || !is_first(shared, &own)))
        is_going_on = wait(registry, err);
    remove_place(shared, &own);
    shared->body_count += is_going_on;
    pthread_cond_broadcast(&shared->changed); /* the next may be first now */
    pthread_mutex_unlock(&shared->lock);
    return is_going_on;
}

void registry_shared_leave(struct registry *registry)
{
    struct registry_shared *shared = registry->host ? registry->host->shared : NULL;
    if (!shared)
        return;
    pthread_mutex_lock(&shared->lock);
    shared->body_count--;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->lock);
}
