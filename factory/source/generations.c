/* SPDX-License-Identifier: Apache-2.0 */
#include "source/generations.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"
#include "io/http.h"

#define LOST_MAX 1000 /* more are forgotten: they are only asked for once more */

struct generations {
    pthread_mutex_t lock; /* guards the rest */
    struct arena arena;
    LIST(struct digest) lost;
    LIST(struct digest) settled; /* that are not passed over any more, whatever they lack */
};

struct generations *generations_new(void)
{
    struct generations *generations = calloc(1, sizeof *generations);
    if (!generations)
        memory_abort(sizeof *generations);
    pthread_mutex_init(&generations->lock, NULL);
    return generations;
}

bool generations_is_race(const struct err *err)
{
    return err->kind == ERR_NETWORK && (err->detail == 404 || err->detail == 410 || err->detail == HTTP_DETAIL_MOVED ||
                                        err->detail == GENERATIONS_ALL_LOST);
}

void generations_no_race(struct err *err)
{
    if (generations_is_race(err) && err->detail != GENERATIONS_ALL_LOST)
        err->detail = 0;
}

static bool has(const struct digest *items, size_t count, const struct digest *generation)
{
    for (size_t i = 0; i < count; i++) {
        if (digest_eq(&items[i], generation))
            return true;
    }
    return false;
}

void generations_note(struct generations *generations, const struct digest *generation, const struct err *err)
{
    if (!generations || !generations_is_race(err))
        return;
    pthread_mutex_lock(&generations->lock);
    if (generations->lost.count < LOST_MAX && !has(generations->lost.items, generations->lost.count, generation) &&
        !has(generations->settled.items, generations->settled.count, generation))
        list_add(&generations->arena, &generations->lost, *generation);
    pthread_mutex_unlock(&generations->lock);
}

bool generations_is_lost(struct generations *generations, const struct digest *generation)
{
    if (!generations)
        return false;
    pthread_mutex_lock(&generations->lock);
    bool is_lost = has(generations->lost.items, generations->lost.count, generation);
    pthread_mutex_unlock(&generations->lock);
    return is_lost;
}

void generations_fail(const char *name, struct err *err)
{
    err_clear(err);
    err_set(err, ERR_NETWORK, "%s: its mirrors are in the middle of an update: none has all that it lists", name);
    err->detail = GENERATIONS_ALL_LOST;
}

void generations_forget(struct generations *generations)
{
    pthread_mutex_lock(&generations->lock);
    generations->lost.count = 0;
    pthread_mutex_unlock(&generations->lock);
}

bool generations_settle(struct generations *generations)
{
    pthread_mutex_lock(&generations->lock);
    bool is_any = generations->lost.count > 0;
    for (size_t i = 0; i < generations->lost.count && generations->settled.count < LOST_MAX; i++)
        list_add(&generations->arena, &generations->settled, generations->lost.items[i]);
    generations->lost.count = 0;
    pthread_mutex_unlock(&generations->lock);
    return is_any;
}

void generations_free(struct generations *generations)
{
    if (!generations)
        return;
    pthread_mutex_destroy(&generations->lock);
    arena_done(&generations->arena);
    free(generations);
}
