/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"
#include "base/auto.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

/* Makes one directory. The umask may have taken bits away; they are given back, and bits that the parent gave (setgid)
 * stay. */
static int make_dir(const char *path, mode_t mode)
{
    struct stat status;
    if (mkdir(path, mode) != 0)
        return errno == EEXIST ? 0 : errno;
    if (stat(path, &status) != 0)
        return errno;
    if ((status.st_mode & mode) == mode)
        return 0;
    return chmod(path, (status.st_mode & 07777) | mode) == 0 ? 0 : errno;
}

bool file_make_dirs(const char *path, mode_t mode, struct err *err)
{
    char prefix[PATH_MAX];
    size_t len = strlen(path);
    int failed = len < sizeof prefix ? 0 : ENAMETOOLONG;
    for (size_t end = 1; !failed && end <= len; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(prefix, path, end);
        prefix[end] = '\0';
        failed = make_dir(prefix, mode);
    }
    struct stat status;
    if (!failed && stat(path, &status) != 0)
        failed = errno;
    else if (!failed && !S_ISDIR(status.st_mode))
        failed = ENOTDIR;
    if (failed)
        err_set_errno(err, failed, "cannot make the directory %s", path);
    return !failed;
}

bool file_check_room(size_t count, struct err *err)
{
    int fds[FILE_ROOM_MAX];
    size_t opened = 0;
    assert(count <= FILE_ROOM_MAX);
    while (opened < count && (fds[opened] = open("/", O_PATH | O_CLOEXEC)) >= 0)
        opened++;
    int failed = opened < count ? errno : 0;
    for (size_t i = 0; i < opened; i++)
        (void)close(fds[i]);
    if (failed)
        err_set_errno(err, failed, "cannot open %zu files at once", count);
    return !failed;
}

bool file_open_dir(const char *path, int *ret_fd, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        err_set_errno(err, errno, "cannot open the directory %s", path);
        return false;
    }
    *ret_fd = fd;
    return true;
}

/* O_NONBLOCK: a pipe in the place of a file must not stop us; it has no meaning for a regular file. */
static bool open_regular(int dirfd, const char *path, int flags, int *ret_fd, struct err *err)
{
    int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    if (fd < 0 && errno == ELOOP && flags & O_NOFOLLOW) {
        err_set(err, ERR_MALFORMED, "%s is a symbolic link, which is not followed here", path);
        return false;
    }
    if (fd < 0) {
        err_set_errno(err, errno, "cannot open %s", path);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static bool size_of_regular(int fd, const char *name, uint64_t *ret_bytes, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        err_set_errno(err, errno, "cannot examine %s", name);
        return false;
    }
    if (!S_ISREG(status.st_mode)) {
        err_set_errno(err, S_ISDIR(status.st_mode) ? EISDIR : EINVAL, "%s is not a regular file", name);
        return false;
    }
    *ret_bytes = (uint64_t)status.st_size;
    return true;
}

/* Returns what read() returns, but never EINTR. */
static ssize_t read_some(int fd, void *bytes, size_t len)
{
    ssize_t got;
    do
        got = read(fd, bytes, len);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Reads the announced size in one piece, then what came on top of it (files in /proc announce 0). */
static bool read_to_end(int fd, const char *path, uint64_t announced_bytes, struct buf *buf, struct err *err)
{
    char rest[4096];
    bool fits = announced_bytes <= buf->cap_bytes && buf_reserve(buf, (size_t)announced_bytes);
    ssize_t got = fits ? 1 : 0;
    while (got > 0) {
        bool is_rest = buf->len >= announced_bytes;
        got = is_rest ? read_some(fd, rest, sizeof rest)
                      : read_some(fd, buf->bytes + buf->len, (size_t)announced_bytes - buf->len);
        if (got > 0 && is_rest)
            fits = buf_add(buf, rest, (size_t)got);
        else if (got > 0)
            buf->len += (size_t)got;
        if (!fits)
            break;
    }
    if (got < 0)
        err_set_errno(err, errno, "cannot read %s", path);
    else if (!fits)
        err_set(err, ERR_MALFORMED, "%s is larger than the %zu bytes that are allowed", path, buf->cap_bytes);
    else
        buf->bytes[buf->len] = '\0';
    return err->kind == ERR_NONE;
}

static bool read_whole(int dirfd, const char *path, int flags, size_t cap_bytes, struct buf *ret, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    uint64_t size_bytes;
    buf_init(ret, cap_bytes);
    if (!open_regular(dirfd, path, flags, &fd, err) || !size_of_regular(fd, path, &size_bytes, err))
        return false;
    if (read_to_end(fd, path, size_bytes, ret, err))
        return true;
    buf_done(ret);
    return false;
}

bool file_read_at(int dirfd, const char *path, size_t cap_bytes, struct buf *ret, struct err *err)
{
    return read_whole(dirfd, path, 0, cap_bytes, ret, err);
}

bool file_read_unlinked_at(int dirfd, const char *path, size_t cap_bytes, struct buf *ret, struct err *err)
{
    return read_whole(dirfd, path, O_NOFOLLOW, cap_bytes, ret, err);
}

bool file_map_fd(int fd, const char *name, struct view *ret_view, struct err *err)
{
    uint64_t size_bytes;
    if (!size_of_regular(fd, name, &size_bytes, err))
        return false;
    if (size_bytes == 0) {
        *ret_view = (struct view){.ptr = ""};
        return true;
    }
    if (size_bytes > PTRDIFF_MAX) {
        err_set_errno(err, EFBIG, "cannot map %s of %" PRIu64 " bytes", name, size_bytes);
        return false;
    }
    void *mapping = mmap(NULL, (size_t)size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping == MAP_FAILED) {
        err_set_errno(err, errno, "cannot map %s of %" PRIu64 " bytes", name, size_bytes);
        return false;
    }
    *ret_view = (struct view){mapping, (size_t)size_bytes, mapping, (size_t)size_bytes};
    return true;
}

bool file_map_at(int dirfd, const char *path, struct view *ret_view, struct err *err)
{
    AUTO(auto_close_fd) int fd = -1;
    return open_regular(dirfd, path, 0, &fd, err) && file_map_fd(fd, path, ret_view, err);
}

void view_give_back(const struct view *view)
{
    if (view->mapping)
        (void)madvise(view->mapping, view->mapping_len, MADV_DONTNEED); /* nobody writes to a view: only pages go */
}

void view_give_back_part(const struct view *view, size_t offset, size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), begin = (offset + page - 1) / page * page,
           end = (offset + len) / page * page;
    if (view->mapping && begin < end)
        (void)madvise((char *)view->mapping + begin, end - begin, MADV_DONTNEED);
}

void view_done(struct view *view)
{
    if (view->mapping)
        (void)munmap(view->mapping, view->mapping_len);
    *view = (struct view){0};
}

bool file_write_all(int fd, const void *bytes, size_t len, const char *name, struct err *err)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t written = write(fd, at, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            err_set_errno(err, written < 0 ? errno : EIO, "cannot write %zu bytes to %s", len, name);
            return false;
        }
        at += written;
        len -= (size_t)written;
    }
    return true;
}

#define TEMPORARY_PREFIX ".imgfactory-"

bool file_hidden_name(char ret_name[FILE_HIDDEN_NAME_BYTES])
{
    uint64_t random[2];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return false;
    (void)snprintf(ret_name, FILE_HIDDEN_NAME_BYTES, TEMPORARY_PREFIX "%016" PRIx64 "%016" PRIx64, random[0],
                   random[1]);
    return true;
}

int file_create_hidden(int dirfd, char ret_name[FILE_HIDDEN_NAME_BYTES])
{
    for (int tries = 0; tries < 100; tries++) {
        if (!file_hidden_name(ret_name))
            return -1;
        int fd = openat(dirfd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static bool sync_fd(int fd, const char *name, struct err *err)
{
    if (fsync(fd) == 0)
        return true;
    err_set_errno(err, errno, "cannot write %s to the disk", name);
    return false;
}

static bool set_mode(int fd, mode_t mode, const char *name, struct err *err)
{
    if (fchmod(fd, mode) == 0)
        return true;
    err_set_errno(err, errno, "cannot set the mode of %s", name);
    return false;
}

static bool rename_in(int dirfd, const char *from, const char *to, struct err *err)
{
    if (renameat(dirfd, from, dirfd, to) == 0)
        return true;
    err_set_errno(err, errno, "cannot replace %s", to);
    return false;
}

/* Writes a hidden file with what `name` shall have; none is left when that fails. */
static bool write_hidden(int dirfd, const struct file_content *file, mode_t mode, bool is_durable,
                         char ret_temporary[FILE_HIDDEN_NAME_BYTES], struct err *err)
{
    assert(!strchr(file->name, '/'));
    AUTO(auto_close_fd) int fd = file_create_hidden(dirfd, ret_temporary);
    if (fd < 0) {
        err_set_errno(err, errno, "cannot create a temporary file for %s", file->name);
        return false;
    }
    if (file_write_all(fd, file->bytes.ptr, file->bytes.len, file->name, err) && set_mode(fd, mode, file->name, err) &&
        (!is_durable || sync_fd(fd, file->name, err)))
        return true;
    (void)unlinkat(dirfd, ret_temporary, 0);
    return false;
}

bool file_write_several_at(int dirfd, const struct file_content *files, size_t count, mode_t mode, bool is_durable,
                           struct err *err)
{
    char temporary[FILE_SEVERAL_MAX][FILE_HIDDEN_NAME_BYTES];
    size_t written = 0, renamed = 0;
    assert(count > 0 && count <= FILE_SEVERAL_MAX);
    while (written < count && write_hidden(dirfd, &files[written], mode, is_durable, temporary[written], err))
        written++;
    while (written == count && renamed < count && rename_in(dirfd, temporary[renamed], files[renamed].name, err))
        renamed++;
    for (size_t i = renamed; i < written; i++)
        (void)unlinkat(dirfd, temporary[i], 0);
    return renamed == count && (!is_durable || sync_fd(dirfd, files[0].name, err));
}

bool file_write_atomic_at(int dirfd, const char *name, const void *bytes, size_t len, mode_t mode, bool is_durable,
                          struct err *err)
{
    struct file_content file = {name, {bytes, len}};
    return file_write_several_at(dirfd, &file, 1, mode, is_durable, err);
}

void file_visit_names(int dirfd, void visit(int dirfd, const char *name))
{
    int listed_fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = listed_fd >= 0 ? fdopendir(listed_fd) : NULL;
    if (!dir) {
        auto_close_fd(&listed_fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)))
        visit(dirfd, entry->d_name);
    (void)closedir(dir);
}

static void remove_temporary(int dirfd, const char *name)
{
    if (strncmp(name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0)
        (void)unlinkat(dirfd, name, 0);
}

void file_remove_left_overs(int dirfd)
{
    file_visit_names(dirfd, remove_temporary);
}
