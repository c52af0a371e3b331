/* SPDX-License-Identifier: Apache-2.0 */
/* solve_watch.h - ends a solving that takes too long, or that nobody waits for any more
 *
 * libsolv cannot be stopped, and its search may take exponential time. But it tells a debug callback of every conflict
 * and every choice; from there the way out is longjmp(). What the solver had allocated for its own use on the way is
 * lost (some kB), the Pool and the Solver stay good to be freed, the Pool also to be used again.
 * A step is a conflict that the solver met: honest requests meet hundreds.
 * Threads: a watch belongs to one thread; `cancel` is set by another.
 * Fails with: ERR_MALFORMED (too many steps, too much CPU time), ERR_CANCELLED.
 */
#ifndef IMGFACTORY_SOURCE_SOLVE_WATCH_H
#define IMGFACTORY_SOURCE_SOLVE_WATCH_H

#include "base/err.h"
#include "source/solv.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>

#define SOLVE_STEPS_MAX 20000u
#define SOLVE_SECONDS_MAX 15 /* of the thread's CPU time, since solve_watch_begin() */

enum solve_watch_end { SOLVE_WATCH_GOES_ON, SOLVE_WATCH_STEPS, SOLVE_WATCH_TIME, SOLVE_WATCH_CANCELLED };

struct solve_watch {
    const atomic_bool *cancel; /* NULL: none */
    int64_t end_ns;            /* of the thread's CPU clock */
    unsigned looks, steps;
    enum solve_watch_end end;
    jmp_buf *back; /* while the solver runs */
};

/* Starts the clock. */
void solve_watch_begin(struct solve_watch *watch, const atomic_bool *cancel);
/* Looks whether it is over; cheap enough for every turn of a loop. */
bool solve_watch_look(struct solve_watch *watch, struct err *err) MUST_CHECK;
/* Runs solver_solve() under the watch; *ret_problem_count is what it returns. */
bool solve_watch_run(struct solve_watch *watch, Solver *solver, Queue *job, int *ret_problem_count,
                     struct err *err) MUST_CHECK;

#endif
