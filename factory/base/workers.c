/* SPDX-License-Identifier: Apache-2.0 */
#include "base/workers.h"
#include "base/arena.h"

#include <pthread.h>
#include <stdlib.h>

struct queued {
    struct queued *next;
    workers_task *task;
    void *item;
};

struct workers {
    pthread_mutex_t lock; /* guards the next four */
    struct queued *first, **last;
    bool is_stopping;
    pthread_cond_t changed; /* predicate: first != NULL or is_stopping */
    size_t count;
    pthread_t threads[];
};

static void *worker_main(void *argument)
{
    struct workers *workers = argument;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (!workers->first && !workers->is_stopping)
            pthread_cond_wait(&workers->changed, &workers->lock);
        struct queued *queued = workers->first;
        if (!queued)
            break;
        workers->first = queued->next;
        if (!workers->first)
            workers->last = &workers->first;
        pthread_mutex_unlock(&workers->lock);
        queued->task(queued->item);
        free(queued);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

bool workers_start(size_t count, struct workers **ret_workers, struct err *err)
{
    struct workers *workers = calloc(1, sizeof *workers + count * sizeof workers->threads[0]);
    if (!workers)
        memory_abort(sizeof *workers);
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->changed, NULL);
    workers->last = &workers->first;
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        failed = pthread_create(&workers->threads[workers->count], NULL, worker_main, workers);
        if (!failed)
            workers->count++;
    }
    if (!workers->count) {
        err_set_errno(err, failed, "cannot start a worker thread");
        workers_stop(workers);
        return false;
    }
    *ret_workers = workers;
    return true;
}

void workers_submit(struct workers *workers, workers_task *task, void *item)
{
    struct queued *queued = malloc(sizeof *queued);
    if (!queued)
        memory_abort(sizeof *queued);
    *queued = (struct queued){.task = task, .item = item};
    pthread_mutex_lock(&workers->lock);
    *workers->last = queued;
    workers->last = &queued->next;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
}

/* One call of workers_run_all(): counts its tasks down. */
struct group {
    workers_task *task;
    pthread_mutex_t lock; /* guards pending */
    size_t pending;
    pthread_cond_t ended; /* predicate: pending == 0 */
};

struct group_item {
    struct group *group;
    void *item;
};

static void group_task(void *argument)
{
    struct group_item *member = argument;
    struct group *group = member->group;
    group->task(member->item);
    pthread_mutex_lock(&group->lock);
    if (--group->pending == 0)
        pthread_cond_broadcast(&group->ended);
    pthread_mutex_unlock(&group->lock);
}

void workers_run_all(struct workers *workers, workers_task *task, void *const *items, size_t count)
{
    struct group group = {.task = task, .pending = count};
    pthread_mutex_init(&group.lock, NULL);
    pthread_cond_init(&group.ended, NULL);
    struct arena arena = {0};
    struct group_item *members = arena_new_array(&arena, struct group_item, count);
    for (size_t i = 0; i < count; i++) {
        members[i] = (struct group_item){&group, items[i]};
        workers_submit(workers, group_task, &members[i]);
    }
    pthread_mutex_lock(&group.lock);
    while (group.pending)
        pthread_cond_wait(&group.ended, &group.lock);
    pthread_mutex_unlock(&group.lock);
    pthread_mutex_destroy(&group.lock);
    pthread_cond_destroy(&group.ended);
    arena_done(&arena);
}

struct call {
    workers_function *function;
    void *argument;
    struct err *err;
    bool is_good;
};

static void call_task(void *item)
{
    struct call *call = item;
    call->is_good = call->function(call->argument, call->err);
}

bool workers_call(struct workers *workers, workers_function *function, void *argument, struct err *err)
{
    struct call call = {function, argument, err, false};
    if (!workers)
        return function(argument, err);
    void *item = &call;
    workers_run_all(workers, call_task, &item, 1);
    return call.is_good;
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->is_stopping = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->count; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_mutex_destroy(&workers->lock);
    pthread_cond_destroy(&workers->changed);
    free(workers);
}
