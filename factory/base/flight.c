/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flight.h"
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

struct passage {
    bool is_done, is_good;
    void *result;
    struct err err;
};

struct flight {
    pthread_mutex_t lock;  /* guards all below and the contents of every passage */
    pthread_cond_t landed; /* predicate: some passage->is_done changed */
    struct arena arena;
    struct map map;
};

struct flight *flight_new(void)
{
    struct flight *flight = calloc(1, sizeof *flight);
    if (!flight)
        memory_abort(sizeof *flight);
    pthread_mutex_init(&flight->lock, NULL);
    pthread_cond_init(&flight->landed, NULL);
    flight->map.arena = &flight->arena;
    return flight;
}

static void land(struct flight *flight, struct passage *passage, bool is_good, void *result, const struct err *err)
{
    pthread_mutex_lock(&flight->lock);
    passage->is_good = is_good;
    passage->result = result;
    if (!is_good)
        passage->err = *err;
    passage->is_done = true;
    pthread_cond_broadcast(&flight->landed);
    pthread_mutex_unlock(&flight->lock);
}

bool flight_get(struct flight *flight, const char *key, flight_make *make, void *argument, void **ret_result,
                struct err *err)
{
    pthread_mutex_lock(&flight->lock);
    struct passage *passage = map_get(&flight->map, text_of(key));
    bool is_first = !passage;
    if (is_first) {
        passage = arena_new(&flight->arena, struct passage);
        (void)map_add(&flight->map, text_of(arena_strdup(&flight->arena, key)), passage);
        pthread_mutex_unlock(&flight->lock);
        struct err made_err = {0};
        void *result = NULL;
        bool is_good = make(argument, &result, &made_err);
        land(flight, passage, is_good, result, &made_err);
        pthread_mutex_lock(&flight->lock);
    }
    while (!passage->is_done)
        pthread_cond_wait(&flight->landed, &flight->lock);
    pthread_mutex_unlock(&flight->lock);
    if (!passage->is_good) {
        *err = passage->err;
        return false;
    }
    *ret_result = passage->result;
    return true;
}

void flight_free(struct flight *flight)
{
    if (!flight)
        return;
    pthread_mutex_destroy(&flight->lock);
    pthread_cond_destroy(&flight->landed);
    arena_done(&flight->arena);
    free(flight);
}
