/* SPDX-License-Identifier: Apache-2.0 */
#include "base/each.h"

#include "base/arena.h"
#include "base/auto.h"
#include "base/list.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS_MAX 16

/* What the threads of one each_run() share. */
struct each {
    const struct each_items *items;
    each_step *step;
    void *context;
    struct err *errs; /* one for each item */
    atomic_size_t next;
    atomic_bool has_failed;
};

static void *take_items(void *argument)
{
    struct each *each = argument;
    const struct each_items *items = each->items;
    for (size_t i; (i = atomic_fetch_add(&each->next, 1)) < items->count;) {
        if (items->is_stopping && atomic_load(&each->has_failed))
            break;
        if (!each->step(each->context, (char *)items->items + i * items->each_bytes, &each->errs[i]))
            atomic_store(&each->has_failed, true);
    }
    return NULL;
}

static void run_threads(struct each *each)
{
    size_t most = each->items->threads_max ? each->items->threads_max : THREADS_MAX, started = 0;
    pthread_t threads[THREADS_MAX];
    while (started + 1 < most && started < ARRAY_COUNT(threads) && started + 1 < each->items->count &&
           pthread_create(&threads[started], NULL, take_items, each) == 0)
        started++;
    take_items(each);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}

bool each_run(struct each_items items, each_step *step, void *context, struct err *err)
{
    AUTO(auto_free) void *memory = calloc(items.count ? items.count : 1, sizeof(struct err));
    if (!memory)
        memory_abort(items.count * sizeof(struct err));
    struct each each = {.items = &items, .step = step, .context = context, .errs = memory};
    const struct err *gravest = NULL;
    run_threads(&each);
    for (size_t i = 0; i < items.count; i++) {
        const struct err *failure = &each.errs[i];
        if (failure->kind != ERR_NONE && (!gravest || err_kind_is_graver(failure->kind, gravest->kind)))
            gravest = failure;
    }
    if (gravest)
        *err = *gravest;
    return !gravest;
}
