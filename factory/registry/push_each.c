#include "registry/push_parts.h"

#include "base/workers.h"

/* What the tasks of one push_each() share. */
struct each {
    push_step *step;
    void *context;
    atomic_bool has_failed;
};

/* One item; failure is in err. */
struct each_task {
    struct each *each;
    void *item;
    struct err err;
};

static void run_task(void *argument)
{
    struct each_task *task = argument;
    struct each *each = task->each;
    if (!atomic_load(&each->has_failed) && !each->step(each->context, task->item, &task->err))
        atomic_store(&each->has_failed, true);
}

static bool run_tasks(struct each_task *tasks, size_t count, size_t threads, struct err *err)
{
    struct workers *workers;
    void **list;
    if (threads <= 1) {
        for (size_t i = 0; i < count; i++)
            run_task(&tasks[i]);
        return true;
    }
    if (!workers_start(threads, &workers, err))
        return false;
    list = calloc(count, sizeof *list);
    if (!list)
        memory_abort(count * sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = &tasks[i];
    workers_run_all(workers, run_task, list, count);
    workers_stop(workers);
    free(list);
    return true;
}

bool push_each(struct push_items items, push_step *step, void *context, struct err *err)
{
    struct each each = {.step = step, .context = context};
    struct each_task *tasks = calloc(items.count ? items.count : 1, sizeof *tasks);
    const struct err *worst = NULL;
    if (!tasks)
        memory_abort(items.count * sizeof *tasks);
    for (size_t i = 0; i < items.count; i++) {
        tasks[i].each = &each;
        tasks[i].item = (char *)items.items + i * items.each_bytes;
    }
    bool is_run = run_tasks(tasks, items.count, items.count < items.threads_max ? items.count : items.threads_max, err);
    for (size_t i = 0; i < items.count; i++) {
        const struct err *failure = &tasks[i].err;
        if (failure->kind != ERR_NONE && (!worst || err_kind_is_graver(failure->kind, worst->kind)))
            worst = failure;
    }
    if (is_run && worst)
        *err = *worst;
    is_run = is_run && !worst;
    free(tasks);
    return is_run;
}
