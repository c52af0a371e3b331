/* SPDX-License-Identifier: Apache-2.0 */
#include "system/system_host.h"

#include "base/auto.h"
#include "io/file.h"
#include "package/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>

bool system_host_open(struct arena *arena, const char *dir, struct system_host *ret_host, struct err *err)
{
    int fd;
    if (!file_open_dir(dir, &fd, err))
        return false;
    *ret_host = (struct system_host){fd, strcmp(dir, "/") == 0 ? "" : arena_strdup(arena, dir)};
    return true;
}

void system_host_close(struct system_host *host)
{
    auto_close_fd(&host->root);
    host->root = -1;
}

/* For kernels without openat2: no link is followed at all. */
static int open_plain(int root, const char *path, int flags)
{
    int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (fd >= 0) {
        char component[PATH_MAX_COMPONENT + 1];
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        bool is_last = !path[len + strspn(path + len, "/")];
        if (!len)
            break;
        int below = -1;
        errno = ENAMETOOLONG;
        if (len <= PATH_MAX_COMPONENT && !(len == 2 && path[0] == '.' && path[1] == '.')) {
            (void)snprintf(component, sizeof component, "%.*s", (int)len, path);
            below = openat(fd, component, (is_last ? flags : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
        }
        int reason = errno;
        (void)close(fd);
        errno = reason;
        fd = below;
        path += len;
    }
    return fd;
}

int system_host_open_at(const struct system_host *host, const char *path, int flags)
{
    const char *below = path + strspn(path, "/");
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, host->root, *below ? below : ".", &how, sizeof how);
    /* A filter of system calls may say EPERM of what it does not know; EAGAIN: something was renamed meanwhile. */
    for (int i = 0; fd < 0 && errno == EAGAIN && i < 100; i++)
        fd = (int)syscall(SYS_openat2, host->root, *below ? below : ".", &how, sizeof how);
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? open_plain(host->root, below, flags) : fd;
}

bool system_host_parent(const struct system_host *host, const char *path, int *ret_fd, const char **ret_name,
                        struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    int fd = system_host_open_at(host, path_dirname(&scratch, path), O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        err_set_errno(err, errno, "%s%s", host->shown, path);
        return false;
    }
    *ret_fd = fd;
    *ret_name = path_basename(path);
    return true;
}

bool system_host_stat(const struct system_host *host, const char *path, struct stat *ret_status)
{
    AUTO(auto_close_fd) int fd = system_host_open_at(host, path, O_PATH | O_NOFOLLOW);
    return fd >= 0 && fstat(fd, ret_status) == 0;
}

bool system_host_make_dirs(const struct system_host *host, struct arena *arena, const char *path, struct strings *made,
                           struct err *err)
{
    AUTO(auto_close_fd) int there = system_host_open_at(host, path, O_PATH | O_DIRECTORY);
    if (there >= 0)
        return true;
    if (errno != ENOENT || strcmp(path, "/") == 0) {
        err_set_errno(err, errno, "%s%s", host->shown, path);
        return false;
    }
    AUTO(auto_close_fd) int parent = -1;
    const char *name;
    if (!system_host_make_dirs(host, arena, path_dirname(arena, path), made, err) ||
        !system_host_parent(host, path, &parent, &name, err))
        return false;
    if (mkdirat(parent, name, 0755) == 0) {
        /* The mode whatever the umask, and of no link that somebody put there since. */
        AUTO(auto_close_fd) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, 0755) != 0) {
            err_set_errno(err, errno, "the mode of %s%s", host->shown, path);
            return false;
        }
        if (made && !strings_has(made, path))
            list_add(arena, made, arena_strdup(arena, path));
        return true;
    }
    if (errno == EEXIST)
        return true;
    err_set_errno(err, errno, "making the directory %s%s", host->shown, path);
    return false;
}

bool system_host_read(const struct system_host *host, struct arena *arena, const char *path, size_t cap_bytes,
                      struct text *ret_text, bool *ret_found, struct err *err)
{
    AUTO(auto_close_fd) int parent = system_host_open_at(host, path_dirname(arena, path), O_RDONLY | O_DIRECTORY);
    AUTO(buf_done) struct buf bytes = {0};
    struct stat status;
    *ret_found = parent >= 0 && fstatat(parent, path_basename(path), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!*ret_found) {
        if (errno == ENOENT || errno == ENOTDIR)
            return true;
        err_set_errno(err, errno, "%s%s", host->shown, path);
        return false;
    }
    if (!file_read_unlinked_at(parent, path_basename(path), cap_bytes, &bytes, err)) {
        err_wrap(err, "%s%s", host->shown, path);
        return false;
    }
    *ret_text = (struct text){arena_strndup(arena, buf_text(&bytes).ptr, bytes.len), bytes.len};
    return true;
}
