/* SPDX-License-Identifier: Apache-2.0 */
#include "line/steps.h"

void steps_init(struct arena *arena, const size_t *groups, size_t count, struct steps *ret_steps)
{
    *ret_steps = (struct steps){.count = count,
                                .pending = count,
                                .groups = groups,
                                .group_pending = arena_new_array(arena, size_t, count),
                                .is_taken = arena_new_array(arena, bool, count),
                                .gates = arena_new_array(arena, size_t, count),
                                .are_open = arena_new_array(arena, bool, count),
                                .is_to_pack = arena_new_array(arena, bool, count),
                                .ready = arena_new_array(arena, size_t, count)};
    for (size_t i = 0; i < count; i++)
        ret_steps->group_pending[groups[i]]++;
    pthread_mutex_init(&ret_steps->lock, NULL);
    pthread_cond_init(&ret_steps->changed, NULL);
}

void steps_wait_for(struct steps *steps, size_t order, size_t gate)
{
    steps->gates[order] = gate + 1;
}

void steps_open(struct steps *steps, size_t gate)
{
    pthread_mutex_lock(&steps->lock);
    steps->are_open[gate] = true;
    pthread_cond_broadcast(&steps->changed);
    pthread_mutex_unlock(&steps->lock);
}

/* Finds the first order that was not begun and may be. Under the lock. */
static bool find_tree(struct steps *steps, size_t *ret_order)
{
    while (steps->next_tree < steps->count && steps->is_taken[steps->next_tree])
        steps->next_tree++;
    for (size_t i = steps->next_tree; i < steps->count; i++) {
        if (!steps->is_taken[i] && (!steps->gates[i] || steps->are_open[steps->gates[i] - 1])) {
            *ret_order = i;
            return true;
        }
    }
    return false;
}

/* Takes a step if there is one. Under the lock. */
static bool take(struct steps *steps, struct step *ret_step)
{
    size_t order;
    if (steps->ready_taken < steps->ready_count) {
        *ret_step = (struct step){.order = steps->ready[steps->ready_taken++], .is_packing = true};
        return true;
    }
    if (!find_tree(steps, &order))
        return false;
    steps->is_taken[order] = true;
    *ret_step = (struct step){.order = order};
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
