/* SPDX-License-Identifier: Apache-2.0 */
/* shared_cache.h - a cache of another machine that is looked into before a network is asked: read-only, an NFS share, say
 *
 * A file of it that is wanted by its SHA-256 is copied into our own store, hashed on the way, and is there as if it had been fetched. It
 * is never mapped, so that nobody can change it once it was verified, and nothing is ever written there. What has other bytes, or cannot
 * be read, is told and fetched. Only the layout of store.h is known here: v1/blob/sha256/ab/HEX.
 * Threads: any thread; blocks on the file system.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_IO_SHARED_CACHE_H
#define IMGFACTORY_IO_SHARED_CACHE_H

#include "base/log.h"
#include "io/store.h"

struct shared_cache {
    const char *dir; /* as --cache of the other machine; NULL: none */
    struct log *log; /* may be NULL */
};

/* Returns the cache; where there is none that can be read that is told, and its dir is NULL. */
struct shared_cache shared_cache_open(const char *dir, struct log *log);
/* Copies a file of at most `most_bytes` (exactly so many with is_exact) into the store. False: it is not there, or not right, or our
 * store has no room. */
bool shared_cache_take(const struct shared_cache *cache, struct store *store, const struct digest *digest,
                       uint64_t most_bytes, bool is_exact) MUST_CHECK;

#endif
