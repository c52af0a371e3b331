/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - how much time went by, what day it is, and waiting
 *
 * Spans are taken from a clock that never jumps, dates from the one that people set.
 * Threads: no state.
 */
#ifndef IMGFACTORY_BASE_CLOCK_H
#define IMGFACTORY_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* Returns milliseconds since some moment of the past; only differences mean anything. Safe in a signal handler. */
uint64_t clock_ms(void);
/* Returns the same in seconds, with a fraction. */
double clock_seconds(void);
/* Returns today: seconds since 1970. */
int64_t clock_date(void);
/* Sleeps that long, or less when a signal comes. */
void clock_sleep_ms(uint64_t ms);
/* Makes a condition for clock_wait_ms(). */
void clock_cond_init(pthread_cond_t *ret_cond);
/* Waits for a condition made by clock_cond_init(), at most that long; `lock` is held, as for pthread_cond_wait(). */
void clock_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ms);

#endif
