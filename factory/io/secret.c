/* SPDX-License-Identifier: Apache-2.0 */
#include "io/secret.h"

#include "base/auto.h"
#include "io/file.h"
#include "io/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>

#define SECRET_NAME "secret"
#define TRIES_MAX 10

struct digest secret_random(void)
{
    struct digest secret;
    if (getrandom(secret.bytes, sizeof secret.bytes, 0) != (ssize_t)sizeof secret.bytes)
        memory_abort(sizeof secret.bytes); /* never for so few bytes (getrandom(2)) */
    return secret;
}

/* After a power cut a file may have its length, but zeros in it. */
static bool is_zero(const struct digest *secret)
{
    static const struct digest zero;
    return digest_eq(secret, &zero);
}

/* Reads it; *ret_is_there tells that a file has the name, whether it is good or not. */
static bool read_secret(int dir_fd, struct digest *ret_secret, bool *ret_is_there)
{
    struct stat status;
    char more;
    AUTO(auto_close_fd) int fd = openat(dir_fd, SECRET_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    *ret_is_there = fd >= 0 || errno != ENOENT;
    return fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && owner_is_ours(&status) &&
           !(status.st_mode & (S_IRWXG | S_IRWXO)) &&
           read(fd, ret_secret->bytes, sizeof ret_secret->bytes) == (ssize_t)sizeof ret_secret->bytes &&
           read(fd, &more, 1) == 0 && !is_zero(ret_secret);
}

/* Writes a file without a name and gives it one: it appears whole, and never in place of another process's. Where that
 * does not work, the last one who writes wins; the others' files are then made again, once. */
static bool write_secret(int dir_fd, const struct digest *secret, struct err *err)
{
    char path[32];
    AUTO(auto_close_fd) int fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, secret->bytes, sizeof secret->bytes) == (ssize_t)sizeof secret->bytes &&
        fchmod(fd, 0600) == 0 && fsync(fd) == 0 &&
        (linkat(AT_FDCWD, path, dir_fd, SECRET_NAME, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST))
        return true;
    return file_write_atomic_at(dir_fd, SECRET_NAME, secret->bytes, sizeof secret->bytes, 0600, true, err);
}

bool secret_open(const char *state_dir, struct digest *ret_secret, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_fd) int dir_fd = -1;
    const char *dir = arena_printf(&scratch, "%s/v1", state_dir);
    if (!owner_check(dir, err) || !file_make_dirs(dir, 0700, err) || !owner_check(dir, err) ||
        !owner_check(arena_printf(&scratch, "%s/seen", dir), err) || !file_open_dir(dir, &dir_fd, err)) {
        err_wrap(err, "state");
        return false;
    }
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        bool is_there;
        struct err failed = {0};
        struct digest made = secret_random();
        if (read_secret(dir_fd, ret_secret, &is_there))
            return true;
        if (is_there)
            (void)unlinkat(dir_fd, SECRET_NAME, 0);
        if (!write_secret(dir_fd, &made, &failed))
            break; /* a full or read-only disk: what is derived in this run is of use to this run only */
    }
    *ret_secret = secret_random();
    return true;
}
