/* SPDX-License-Identifier: Apache-2.0 */
/* env.h - what everything that reads repositories needs from its caller
 *
 * Threads: const for all.
 */
#ifndef IMGFACTORY_SOURCE_ENV_H
#define IMGFACTORY_SOURCE_ENV_H

#include "base/log.h"
#include "io/http.h"
#include "io/lock.h"
#include "source/generations.h"
#include "source/pins.h"

#include <stdatomic.h>

/* What the source layer needs from its caller; const for all threads. */
struct source_env {
    struct http *http;
    struct store *store;
    struct log *log;
    const char *state_dir;        /* exists */
    int64_t now;                  /* seconds since the epoch: for freshness only */
    const atomic_bool *cancel;    /* ends solving with ERR_CANCELLED when it turns true; may be NULL */
    const struct lock_wait *wait; /* how the state's lock is waited for; may be NULL */
    const struct http_access
        *access; /* of the repository at hand (a copy of the struct has it); NULL: nothing beyond the environment */
    struct generations *generations; /* that proved incomplete in this run; may be NULL */
    const struct pins *pins;         /* generations that are taken, whatever newer ones there are; may be NULL */
    bool is_cache_only;              /* use the last accepted Release without asking the network */
    bool is_change_accepted;         /* a repository may call itself otherwise than before (--accept-release-change) */
};

#endif
