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

void generations_note(struct generations *generations, const struct digest *generation, const struct err *err)
{
    if (!generations || !generations_is_race(err) || generations_is_lost(generations, generation))
        return;
    pthread_mutex_lock(&generations->lock);
    if (generations->lost.count < LOST_MAX)
        list_add(&generations->arena, &generations->lost, *generation);
    pthread_mutex_unlock(&generations->lock);
}

bool generations_is_lost(struct generations *generations, const struct digest *generation)
{
    bool is_lost = false;
    if (!generations)
        return false;
    pthread_mutex_lock(&generations->lock);
    for (size_t i = 0; i < generations->lost.count && !is_lost; i++)
        is_lost = digest_eq(&generations->lost.items[i], generation);
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

void generations_free(struct generations *generations)
{
    if (!generations)
        return;
    pthread_mutex_destroy(&generations->lock);
    arena_done(&generations->arena);
    free(generations);
}
