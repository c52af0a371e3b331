/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - which step of which order is next: trees one after the other, packing once all trees of a group exist
 *
 * The layers of the orders of one group are planned together, so none of them is packed before the last of their trees
 * exists, or failed. An order that is a group of its own is packed as soon as its tree exists. Packing goes before
 * further trees, since it gives memory back. An order may have a gate: its tree is not begun before that is opened.
 * Threads: all functions but steps_init() by any thread; steps_take() blocks while only others can bring further steps.
 * Owns: nothing; lives in the arena given.
 */
#ifndef IMGFACTORY_LINE_STEPS_H
#define IMGFACTORY_LINE_STEPS_H

#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>

struct step {
    size_t order; /* index */
    bool is_packing;
};

struct steps {
    pthread_mutex_t lock;   /* guards all that follows */
    pthread_cond_t changed; /* predicate: there is a step to take, or there will be none */
    size_t count, next_tree;
    bool *is_taken;       /* of each order, whether its tree was begun */
    size_t *gates;        /* of each order, 1 and the number of its gate; 0: none */
    bool *are_open;       /* of each gate */
    size_t pending;       /* trees that do not exist yet */
    const size_t *groups; /* of each order, the number of its group */
    size_t *group_pending;
    bool *is_to_pack; /* of each order whose tree exists */
    size_t *ready;    /* orders to be packed, in the order in which they became so */
    size_t ready_count, ready_taken;
};

/* Prepares the steps of `count` orders; groups[i] (kept) is a number below `count`. */
void steps_init(struct arena *arena, const size_t *groups, size_t count, struct steps *ret_steps);
/* Lets an order wait for a gate, a number below `count`; before steps_take() is called. */
void steps_wait_for(struct steps *steps, size_t order, size_t gate);
/* Opens a gate. */
void steps_open(struct steps *steps, size_t gate);
/* Takes the next step; false when there is none and none will come. */
bool steps_take(struct steps *steps, struct step *ret_step);
/* Tells that an order's tree exists and is to be packed, or that there is nothing to be packed. */
void steps_tree_done(struct steps *steps, size_t order, bool is_to_pack);

#endif
