/* SPDX-License-Identifier: Apache-2.0 */
#include "io/new_file.h"

#include "base/auto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool fail(const struct new_file *file, const char *what, struct err *err)
{
    err_set_errno(err, errno, "cannot %s %s", what, file->path);
    return false;
}

/* What is replaced must be a file, or nothing: a rename would take the place of a device, and of a link. */
static bool check_replaced(const struct new_file *file, struct err *err)
{
    struct stat status;
    if (fstatat(file->dirfd, file->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || fail(file, "look at", err);
    if (S_ISREG(status.st_mode))
        return true;
    err_set(err, ERR_USAGE, "%s is no regular file, and is not replaced; name a file", file->path);
    return false;
}

static bool open_dir(struct new_file *file, struct err *err)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *slash = strrchr(file->path, '/');
    file->name = slash ? slash + 1 : file->path;
    if (!*file->name) {
        err_set(err, ERR_USAGE, "%s names a folder; name a file", file->path);
        return false;
    }
    const char *dir = slash ? arena_strndup(&arena, file->path, (size_t)(slash - file->path + 1)) : ".";
    return file_make_dirs(dir, 0777, err) && file_open_dir(dir, &file->dirfd, err);
}

bool new_file_begin(const char *path, struct new_file *ret_file, struct err *err)
{
    *ret_file = (struct new_file){.path = path, .dirfd = -1, .fd = -1};
    if (!open_dir(ret_file, err) || !check_replaced(ret_file, err))
        return false;
    ret_file->fd = openat(ret_file->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (ret_file->fd < 0)
        ret_file->fd = file_create_hidden(ret_file->dirfd, ret_file->hidden_name);
    return ret_file->fd >= 0 || fail(ret_file, "create", err);
}

/* Gives an unnamed file a hidden name: a link cannot take the place of another file, a name can. */
static bool name_it(struct new_file *file, struct err *err)
{
    char kernels_name[32], hidden_name[FILE_HIDDEN_NAME_BYTES];
    if (file->hidden_name[0])
        return true;
    (void)snprintf(kernels_name, sizeof kernels_name, "/proc/self/fd/%d", file->fd);
    if (!file_hidden_name(hidden_name) ||
        linkat(AT_FDCWD, kernels_name, file->dirfd, hidden_name, AT_SYMLINK_FOLLOW) != 0)
        return fail(file, "name", err);
    memcpy(file->hidden_name, hidden_name, sizeof hidden_name);
    return true;
}

bool new_file_commit(struct new_file *file, mode_t mode, struct err *err)
{
    if (fchmod(file->fd, mode) != 0)
        return fail(file, "set the mode of", err);
    if (fsync(file->fd) != 0)
        return fail(file, "write to the disk:", err);
    if (!name_it(file, err))
        return false;
    if (renameat(file->dirfd, file->hidden_name, file->dirfd, file->name) != 0)
        return fail(file, "replace", err);
    file->hidden_name[0] = '\0';
    return fsync(file->dirfd) == 0 || fail(file, "write to the disk the folder of", err);
}

void new_file_abandon(struct new_file *file)
{
    if (file->hidden_name[0])
        (void)unlinkat(file->dirfd, file->hidden_name, 0);
    auto_close_fd(&file->fd);
    auto_close_fd(&file->dirfd);
    file->dirfd = file->fd = -1;
    file->hidden_name[0] = '\0';
}
