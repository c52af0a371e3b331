/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static struct timespec now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now;
}

uint64_t clock_ms(void)
{
    struct timespec at = now();
    return (uint64_t)at.tv_sec * 1000 + (uint64_t)at.tv_nsec / 1000000;
}

double clock_seconds(void)
{
    struct timespec at = now();
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int64_t clock_date(void)
{
    return (int64_t)time(NULL);
}

static struct timespec span(uint64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

void clock_sleep_ms(uint64_t ms)
{
    struct timespec pause = span(ms);
    (void)nanosleep(&pause, NULL);
}

void clock_cond_init(pthread_cond_t *ret_cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(ret_cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

void clock_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ms)
{
    struct timespec until = now(), left = span(ms);
    until.tv_sec += left.tv_sec;
    until.tv_nsec += left.tv_nsec;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(cond, lock, &until);
}
