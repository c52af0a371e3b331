#include "line/steps.h"

void steps_init(struct arena *arena, const size_t *groups, size_t count, struct steps *ret_steps)
{
    *ret_steps = (struct steps){.count = count,
                                .pending = count,
                                .groups = groups,
                                .group_pending = arena_new_array(arena, size_t, count),
                                .is_to_pack = arena_new_array(arena, bool, count),
                                .ready = arena_new_array(arena, size_t, count)};
    for (size_t i = 0; i < count; i++)
        ret_steps->group_pending[groups[i]]++;
    pthread_mutex_init(&ret_steps->lock, NULL);
    pthread_cond_init(&ret_steps->changed, NULL);
}

/* Takes a step if there is one. Under the lock. */
static bool take(struct steps *steps, struct step *ret_step)
{
    if (steps->ready_taken < steps->ready_count)
        *ret_step = (struct step){.order = steps->ready[steps->ready_taken++], .is_packing = true};
    else if (steps->next_tree < steps->count)
        *ret_step = (struct step){.order = steps->next_tree++};
    else
        return false;
    return true;
}

bool steps_take(struct steps *steps, struct step *ret_step)
{
    pthread_mutex_lock(&steps->lock);
    bool is_taken = take(steps, ret_step);
    while (!is_taken && steps->pending) {
        pthread_cond_wait(&steps->changed, &steps->lock);
        is_taken = take(steps, ret_step);
    }
    pthread_mutex_unlock(&steps->lock);
    return is_taken;
}

void steps_tree_done(struct steps *steps, size_t order, bool is_to_pack)
{
    size_t group = steps->groups[order];
    pthread_mutex_lock(&steps->lock);
    steps->is_to_pack[order] = is_to_pack;
    steps->pending--;
    if (--steps->group_pending[group] == 0) {
        for (size_t i = 0; i < steps->count; i++) {
            if (steps->groups[i] == group && steps->is_to_pack[i])
                steps->ready[steps->ready_count++] = i;
        }
    }
    pthread_cond_broadcast(&steps->changed);
    pthread_mutex_unlock(&steps->lock);
}
