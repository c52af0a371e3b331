/* SPDX-License-Identifier: Apache-2.0 */
#include "source/solve_watch.h"

#include <string.h>
#include <time.h>

#define LOOKS_PER_CLOCK 64u /* the clock is a system call */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void solve_watch_begin(struct solve_watch *watch, const atomic_bool *cancel)
{
    *watch = (struct solve_watch){.cancel = cancel, .end_ns = now_ns() + (int64_t)SOLVE_SECONDS_MAX * 1000000000};
}

static enum solve_watch_end look(struct solve_watch *watch)
{
    if (watch->end)
        return watch->end;
    if (watch->steps > SOLVE_STEPS_MAX)
        watch->end = SOLVE_WATCH_STEPS;
    else if (watch->cancel && atomic_load_explicit(watch->cancel, memory_order_relaxed))
        watch->end = SOLVE_WATCH_CANCELLED;
    else if (++watch->looks % LOOKS_PER_CLOCK == 0 && now_ns() > watch->end_ns)
        watch->end = SOLVE_WATCH_TIME;
    return watch->end;
}

static bool fail(enum solve_watch_end end, struct err *err)
{
    if (end == SOLVE_WATCH_CANCELLED)
        err_set(err, ERR_CANCELLED, "interrupted");
    else if (end == SOLVE_WATCH_STEPS)
        err_set(err, ERR_MALFORMED,
                "no end of solving after %u steps: these packages exclude each other in too many ways",
                SOLVE_STEPS_MAX);
    else
        err_set(err, ERR_MALFORMED, "no end of solving after %d seconds of computing", SOLVE_SECONDS_MAX);
    return false;
}

bool solve_watch_look(struct solve_watch *watch, struct err *err)
{
    return look(watch) == SOLVE_WATCH_GOES_ON || fail(watch->end, err);
}

/* libsolv's debug callback. A conflict is told as "ANALYZE at LEVEL" or "ANALYZE UNSOLVABLE", then what it is made of. */
static void hear(Pool *pool, void *user, int type, const char *text)
{
    (void)pool;
    struct solve_watch *watch = user;
    watch->steps += (type & (SOLV_DEBUG_ANALYZE | SOLV_DEBUG_UNSOLVABLE)) && strncmp(text, "ANALYZE", 7) == 0;
    if (look(watch) != SOLVE_WATCH_GOES_ON && watch->back)
        longjmp(*watch->back, 1);
}

bool solve_watch_run(struct solve_watch *watch, Solver *solver, Queue *job, int *ret_problem_count, struct err *err)
{
    jmp_buf back;
    int volatile problem_count = 0;
    if (setjmp(back) == 0) {
        watch->back = &back;
        pool_setdebugcallback(solver->pool, hear, watch);
        pool_setdebugmask(solver->pool, SOLV_DEBUG_ANALYZE | SOLV_DEBUG_UNSOLVABLE | SOLV_DEBUG_POLICY);
        problem_count = solver_solve(solver, job);
    }
    watch->back = NULL;
    pool_setdebugmask(solver->pool, 0);
    pool_setdebugcallback(solver->pool, NULL, NULL);
    *ret_problem_count = problem_count;
    return watch->end == SOLVE_WATCH_GOES_ON || fail(watch->end, err);
}
