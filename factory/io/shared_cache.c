/* SPDX-License-Identifier: Apache-2.0 */
#include "io/shared_cache.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_BYTES 65536
#define BLOBS "v1/blob/sha256"

struct shared_cache shared_cache_open(const char *dir, struct log *log)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct shared_cache cache = {dir, log};
    struct err err = {0};
    if (!dir || access(arena_printf(&scratch, "%s/" BLOBS, dir), R_OK | X_OK) == 0)
        return cache;
    err_set_errno(&err, errno, "there is no cache that can be read");
    log_line(log, LOG_QUIET, "warning: --cache-from %s: %s; all is fetched", dir, err.text);
    cache.dir = NULL;
    return cache;
}

static void tell(const struct shared_cache *cache, const struct digest *digest, const char *what)
{
    log_line(cache->log, LOG_QUIET, "warning: --cache-from %s: sha256:%s %s; it is fetched", cache->dir,
             digest_hex(digest).chars, what);
}

/* Opens a file of the right size; -1: there is none. Whatever lies in its place is not waited for. */
static int open_blob(const struct shared_cache *cache, const struct digest *digest, uint64_t most_bytes, bool is_exact)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct digest_hex hex = digest_hex(digest);
    struct err err = {0};
    struct stat status;
    const char *path = arena_printf(&scratch, "%s/" BLOBS "/%.2s/%s", cache->dir, hex.chars, hex.chars);
    AUTO(auto_close_fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return -1;
    if (fd < 0 || fstat(fd, &status)) {
        err_set_errno(&err, errno, "cannot be read");
        tell(cache, digest, err.text);
        return -1;
    }
    bool is_right = S_ISREG(status.st_mode) && (uint64_t)status.st_size <= most_bytes &&
                    (!is_exact || (uint64_t)status.st_size == most_bytes);
    if (!is_right)
        tell(cache, digest, "is no file of the right size");
    return is_right ? take_fd(&fd) : -1;
}

/* Copies at most so many bytes, whatever becomes of the file meanwhile. False: it cannot be read, or with err our store is full. */
static bool copy(int fd, uint64_t most_bytes, struct blob *blob, struct err *err)
{
    char bytes[STEP_BYTES];
    while (blob->len < most_bytes) {
        uint64_t left = most_bytes - blob->len;
        ssize_t count = read(fd, bytes, left < sizeof bytes ? (size_t)left : sizeof bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0;
        if (!blob_write(blob, bytes, (size_t)count, err))
            return false;
    }
    return true;
}

bool shared_cache_take(const struct shared_cache *cache, struct store *store, const struct digest *digest,
                       uint64_t most_bytes, bool is_exact)
{
    AUTO(blob_abandon) struct blob blob = {0};
    struct err err = {0};
    AUTO(auto_close_fd) int fd = cache->dir ? open_blob(cache, digest, most_bytes, is_exact) : -1;
    if (fd < 0 || !blob_begin(store, &blob, &err))
        return false;
    bool is_read = copy(fd, most_bytes, &blob, &err);
    bool is_good = is_read && blob_commit(&blob, digest, NULL, &err);
    if (!is_good && (err.kind == ERR_NONE || err.kind == ERR_TRUST))
        tell(cache, digest, is_read ? "has other bytes" : "cannot be read");
    return is_good;
}
