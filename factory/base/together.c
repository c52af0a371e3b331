#include "base/together.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS_MAX 16

struct together {
    together_task *task;
    void *const *items;
    size_t count;
    atomic_size_t next;
};

static void *take_items(void *argument)
{
    struct together *together = argument;
    for (size_t i; (i = atomic_fetch_add(&together->next, 1)) < together->count;)
        together->task(together->items[i]);
    return NULL;
}

void together_run(together_task *task, void *const *items, size_t count)
{
    struct together together = {.task = task, .items = items, .count = count};
    pthread_t threads[THREADS_MAX - 1];
    size_t started = 0;
    while (started < THREADS_MAX - 1 && started + 1 < count &&
           pthread_create(&threads[started], NULL, take_items, &together) == 0)
        started++;
    take_items(&together);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
}
