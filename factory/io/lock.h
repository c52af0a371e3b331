/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - flock() that says what it waits for, and that a signal or a limit ends
 *
 * Whoever can open a file can hold its lock, so no lock is waited for in silence and without end. A file that is made
 * to be locked has mode 0600.
 * Threads: no shared state; a lock belongs to the open file: closing the descriptor (and its copies) ends it.
 * Fails with: ERR_LOCAL (the limit, with detail EWOULDBLOCK; a file system without locks), ERR_CANCELLED.
 */
#ifndef IMGFACTORY_IO_LOCK_H
#define IMGFACTORY_IO_LOCK_H

#include "base/log.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>

struct arena;
struct broker;

/* How long one waits, and who is told. All zero: the standard limit, in silence. */
struct lock_wait {
    struct log *log;           /* may be NULL */
    const atomic_bool *cancel; /* when it turns true the wait ends; may be NULL */
    uint64_t limit_ms;         /* 0: LOCK_LIMIT_MS */
    struct broker *broker;     /* finds out who holds the lock where the caller may not (confine.h); or NULL */
};
#define LOCK_LIMIT_MS ((uint64_t)5 * 60 * 1000)

/* Takes the exclusive (or shared) lock of an open file or directory. After a second of waiting says "waiting for NAME",
 * with the process that holds it where the system tells. `wait` may be NULL: all zero. */
bool lock_take(int fd, bool is_shared, const char *name, const struct lock_wait *wait, struct err *err) MUST_CHECK;
/* Returns the name of a running process, in the arena; NULL: there is no telling. */
const char *lock_comm(uint64_t pid, struct arena *arena);
/* Takes it exclusively if nobody has to be waited for; else fails with ERR_LOCAL (detail EWOULDBLOCK) that names the process. */
bool lock_take_now(int fd, const char *name, struct err *err) MUST_CHECK;
/* Takes it if nobody has to be waited for; false without an error otherwise. */
bool lock_try(int fd, bool is_shared);
/* Opens dirfd/name for locking, mode 0600 whatever it was (one that others could open is closed to them). Returns -1
 * with errno. */
int lock_open_at(int dirfd, const char *name);

#endif
