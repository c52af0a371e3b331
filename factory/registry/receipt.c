/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/receipt.h"

#include "base/auto.h"
#include "io/file.h"
#include "io/lock.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECEIPT_MAX_BYTES ((size_t)4096)
#define LOCK_WAIT_MS 2000 /* nobody holds it for long */

static const char *name_of(struct arena *arena, const char *repository, const struct digest *digest)
{
    const char *identity = arena_printf(arena, "%s\n%s", repository, digest_hex(digest).chars);
    struct digest name = digest_of(identity, strlen(identity));
    return arena_strdup(arena, digest_hex(&name).chars);
}

static const char *print(struct arena *arena, const char *repository, const struct digest *digest)
{
    return arena_printf(arena, "version 1\nrepository %s\ndigest %s\ntime ", repository, digest_hex(digest).chars);
}

/* A receipt that is well-formed, and of this image. */
struct receipt {
    int64_t seen;
    int64_t written; /* the file's own time */
};

static bool read_receipt(const char *dir, const char *repository, const struct digest *digest,
                         struct receipt *ret_receipt)
{
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf bytes = {0};
    struct err ignored = {0};
    struct stat status;
    if (!dir)
        return false;
    const char *path = arena_printf(&arena, "%s/%s", dir, name_of(&arena, repository, digest));
    if (stat(path, &status) != 0 || !file_read_at(AT_FDCWD, path, RECEIPT_MAX_BYTES, &bytes, &ignored))
        return false;
    const char *begin = print(&arena, repository, digest);
    struct text text = {bytes.bytes, bytes.len};
    size_t len = strlen(begin);
    uint64_t seen;
    if (!text_has_prefix(text, begin) || text.ptr[text.len - 1] != '\n' ||
        !text_parse_u64((struct text){text.ptr + len, text.len - len - 1}, &seen) || seen > INT64_MAX)
        return false;
    *ret_receipt = (struct receipt){(int64_t)seen, (int64_t)status.st_mtime};
    return true;
}

bool receipt_is_young(const char *dir, const char *repository, const struct digest *digest, int64_t now)
{
    struct receipt receipt;
    /* The file's own time counts, too: who sets it back wants the registry to be asked. */
    return read_receipt(dir, repository, digest, &receipt) && now - receipt.written < RECEIPT_YOUNG_SECONDS &&
           receipt.seen <= now && now - receipt.seen < RECEIPT_YOUNG_SECONDS;
}

bool receipt_is_there(const char *dir, const char *repository, const struct digest *digest)
{
    struct receipt receipt;
    return read_receipt(dir, repository, digest, &receipt);
}

/* A receipt among others: its name is a digest. */
static bool is_receipt(const char *name)
{
    struct digest digest;
    return digest_parse(text_of(name), &digest);
}

/* Removes what is old, and all when there are too many: then every image is looked at once more. */
static void prune(int dir_fd, int64_t now)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    size_t count = 0;
    if (!dir) {
        auto_close_fd(&fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct stat status;
        if (!is_receipt(entry->d_name) || fstatat(dir_fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        bool is_old = (int64_t)status.st_mtime + RECEIPT_KEPT_SECONDS < now;
        if (is_old || ++count > RECEIPTS_MAX_COUNT)
            (void)unlinkat(dir_fd, entry->d_name, 0);
    }
    (void)closedir(dir);
}

static bool write_receipt(const char *dir, const char *name, const char *text, int64_t now, struct err *err)
{
    const struct lock_wait wait = {.limit_ms = LOCK_WAIT_MS};
    AUTO(auto_close_fd) int dir_fd = -1;
    if (!file_make_dirs(dir, 0700, err) || !file_open_dir(dir, &dir_fd, err) ||
        !lock_take(dir_fd, false, dir, &wait, err))
        return false;
    file_remove_left_overs(dir_fd);
    prune(dir_fd, now);
    return file_write_atomic_at(dir_fd, name, text, strlen(text), 0600, false, err);
}

void receipt_write(const char *dir, const char *repository, const struct digest *digest, int64_t now, struct log *log)
{
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    if (!dir)
        return;
    const char *text = arena_printf(&arena, "%s%lld\n", print(&arena, repository, digest), (long long)now);
    if (!write_receipt(dir, name_of(&arena, repository, digest), text, now, &err) && log)
        log_line(log, LOG_VERBOSE, "%s; what the registry has will be asked again next time", err.text);
}

/* Whether a file is a receipt of the repository. */
static bool is_of(int dir_fd, const char *name, const char *begin)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct err ignored = {0};
    return is_receipt(name) && file_read_at(dir_fd, name, RECEIPT_MAX_BYTES, &bytes, &ignored) &&
           text_has_prefix(buf_text(&bytes), begin);
}

void receipt_forget(const char *dir, const char *repository)
{
    AUTO(arena_done) struct arena arena = {0};
    DIR *listing = dir ? opendir(dir) : NULL;
    if (!listing)
        return;
    const char *begin = arena_printf(&arena, "version 1\nrepository %s\n", repository);
    for (const struct dirent *entry; (entry = readdir(listing));) {
        if (is_of(dirfd(listing), entry->d_name, begin))
            (void)unlinkat(dirfd(listing), entry->d_name, 0);
    }
    (void)closedir(listing);
}

void receipt_remove(const char *dir, const char *repository, const struct digest *digest)
{
    AUTO(arena_done) struct arena arena = {0};
    if (dir)
        (void)unlink(arena_printf(&arena, "%s/%s", dir, name_of(&arena, repository, digest)));
}
