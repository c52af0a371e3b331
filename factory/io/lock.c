/* SPDX-License-Identifier: Apache-2.0 */
#include "io/lock.h"

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "io/errand.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>

#define SAID_AFTER_MS ((uint64_t)1000)
#define PAUSE_MAX_MS ((uint64_t)50)
#define LOCKS_MAX_BYTES ((size_t)4 << 20)
#define COMM_MAX_BYTES 64

bool lock_try(int fd, bool is_shared)
{
    int failed;
    do
        failed = flock(fd, (is_shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
    while (failed && errno == EINTR);
    return !failed;
}

/* A line of /proc/locks (proc(5)): "1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF"; of one who waits "1: -> FLOCK …".
 * */
static bool names_holder(struct text line, uint64_t inode, uint64_t *ret_pid)
{
    struct text words[6], place = {0};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (!text_next_word(&line, &words[i]))
            return false;
    }
    uint64_t number;
    while (text_next(&words[5], ':', &place))
        continue;
    return text_is(words[1], "FLOCK") && text_parse_u64(place, &number) && number == inode &&
           text_parse_u64(words[4], ret_pid) && *ret_pid > 0;
}

const char *lock_comm(uint64_t pid, struct arena *arena)
{
    AUTO(buf_done) struct buf comm = {0};
    struct err none = {0};
    const char *path = arena_printf(arena, "/proc/%" PRIu64 "/comm", pid);
    if (!file_read_at(AT_FDCWD, path, COMM_MAX_BYTES, &comm, &none))
        return NULL;
    return text_printable(arena, text_trim((struct text){comm.bytes, comm.len}));
}

/* Describes the process that holds the lock, as far as the system tells; "" else. Confined threads read no other's name. */
static const char *describe_holder(const struct lock_wait *wait, int fd, struct arena *arena)
{
    AUTO(buf_done) struct buf locks = {0};
    struct stat status;
    struct err ignored = {0};
    uint64_t pid = 0;
    if (fstat(fd, &status) != 0 || !file_read_at(AT_FDCWD, "/proc/locks", LOCKS_MAX_BYTES, &locks, &ignored))
        return "";
    struct text rest = {locks.bytes, locks.len}, line;
    while (text_next(&rest, '\n', &line) && !names_holder(line, status.st_ino, &pid))
        pid = 0;
    const char *comm = pid ? lock_comm(pid, arena) : NULL;
    if (pid && !comm && wait->broker)
        comm = errand_comm(wait->broker, pid, arena);
    if (!comm || stat(arena_printf(arena, "/proc/%" PRIu64, pid), &status) != 0)
        return pid ? arena_printf(arena, ", which process %" PRIu64 " holds", pid) : "";
    return arena_printf(arena, ", which process %" PRIu64 " (%s, user %u) holds", pid,
                        text_printable(arena, text_of(comm)), (unsigned)status.st_uid);
}

static bool is_cancelled(const struct lock_wait *wait)
{
    return wait->cancel && atomic_load(wait->cancel);
}

/* Waits in small steps: a blocking flock() would end by a signal handler only, and there is none. */
static bool wait_for(int fd, bool is_shared, const char *name, const struct lock_wait *wait, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    uint64_t begun = clock_ms(), pause_ms = 1, limit_ms = wait->limit_ms ? wait->limit_ms : LOCK_LIMIT_MS;
    bool is_said = false;
    while (!lock_try(fd, is_shared)) {
        uint64_t waited_ms = clock_ms() - begun;
        if (errno != EWOULDBLOCK) {
            err_set_errno(err, errno, "cannot lock %s", name);
        } else if (is_cancelled(wait)) {
            err_set(err, ERR_CANCELLED, "interrupted while waiting for %s", name);
        } else if (waited_ms >= limit_ms) {
            err_set(err, ERR_LOCAL, "gave up after %s of waiting for %s%s", units_duration(limit_ms).chars, name,
                    describe_holder(wait, fd, &scratch));
            err->detail = EWOULDBLOCK;
        }
        if (err->kind != ERR_NONE)
            return false;
        if (!is_said && waited_ms >= SAID_AFTER_MS && wait->log)
            log_line(wait->log, LOG_NORMAL, "waiting for %s%s (for %s at most)", name,
                     describe_holder(wait, fd, &scratch), units_duration(limit_ms).chars);
        is_said = is_said || waited_ms >= SAID_AFTER_MS;
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
    }
    return true;
}

bool lock_take(int fd, bool is_shared, const char *name, const struct lock_wait *wait, struct err *err)
{
    static const struct lock_wait standard = {0};
    return wait_for(fd, is_shared, name, wait ? wait : &standard, err);
}

bool lock_take_now(int fd, const char *name, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (lock_try(fd, false))
        return true;
    if (errno != EWOULDBLOCK) {
        err_set_errno(err, errno, "cannot lock %s", name);
        return false;
    }
    err_set(err, ERR_LOCAL, "%s is taken%s", name, describe_holder(&(const struct lock_wait){0}, fd, &scratch));
    err->detail = EWOULDBLOCK;
    return false;
}

int lock_open_at(int dirfd, const char *name)
{
    struct stat status;
    int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & 0077))
        (void)fchmod(fd, 0600); /* not ours: then we can only wait for it */
    return fd;
}
