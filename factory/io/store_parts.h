/* SPDX-License-Identifier: Apache-2.0 */
/* store_parts.h - what store.c and store_prune.c share (private to both)
 *
 * Threads, ownership: as store.h.
 */
#ifndef IMGFACTORY_IO_STORE_PARTS_H
#define IMGFACTORY_IO_STORE_PARTS_H

#include "base/map.h"
#include "io/hashed.h"
#include "io/store_prune.h"

#include <pthread.h>

struct store {
    char *path; /* as given, for messages */
    struct digest secret;
    struct hashed *hashed; /* never NULL while it is open */
    int blobs_fd, derived_fd, tmp_fd;
    int users_fd, sizes_fd; /* -1 where the cache is read-only */
    bool is_unnamed;        /* O_TMPFILE and linkat() from /proc work here */
    bool is_sized;          /* v1/sizes says how large the cache is */
    atomic_bool is_added;   /* something was added by us */
    uint64_t limit_bytes;
    const struct lock_wait *wait;
    pthread_mutex_t room_lock; /* guards the next */
    bool is_room_hopeless;     /* on a full disk nothing can be removed any more */
    atomic_uint rooms_made;    /* how often something was removed from a full disk */
    pthread_mutex_t used_lock; /* guards the next two */
    struct arena used_arena;
    struct map used; /* paths below v1 that this process made or used */
};

/* Adds the names of all blobs that are held to the map; lists whose file is gone are removed, unless it is only looked at. */
void store_list_held(int v1_fd, bool is_dry_run, struct map *names);
/* Opens v1/users and v1/sizes and says that we use the store. */
bool store_begin_use(struct store *store, const struct lock_wait *wait, struct err *err) MUST_CHECK;
/* Prunes if that is due, and ends the use. */
void store_end_use(struct store *store);
/* Marks a file as used, so that it is not pruned for a while, unless that was done lately: then false. Whoever only asks
 * whether it is there marks first. */
bool store_mark_used(struct store *store, int dirfd, const char *name);
/* Notes that a file of that size was added. */
void store_note_added(struct store *store, int dirfd, const char *name, uint64_t size_bytes);
/* On a full disk: removes what was not used for longest and nobody can need, unless another thread did since the write that
 * failed was begun, when rooms_made was `rooms_seen`. Returns whether it is worth writing again. */
bool store_make_room(struct store *store, unsigned rooms_seen);

#endif
