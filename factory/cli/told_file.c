/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/told_file.h"

#include "base/auto.h"
#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of a file, and its name there. */
static const char *folder_of(struct arena *arena, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    *ret_name = slash ? slash + 1 : path;
    return !slash ? "." : slash == path ? "/" : arena_strndup(arena, path, (size_t)(slash - path));
}

bool told_file_check(const char *option, const char *path, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *name;
    if (!path)
        return true;
    const char *folder = folder_of(&scratch, path, &name);
    struct stat status;
    bool is_file = lstat(path, &status) != 0 || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
    bool is_good = is_file && *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                   access(folder, W_OK | X_OK) == 0 && access(arena_printf(&scratch, "%s/.", path), F_OK) != 0;
    if (!is_good)
        err_set(err, ERR_USAGE, "%s: %s cannot be written: it has to be a file in a folder that is there", option,
                path);
    return is_good;
}

bool told_file_write(const char *option, const char *path, struct text text, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_close_fd) int fd = -1;
    const char *name, *folder = folder_of(&scratch, path, &name);
    bool is_written =
        file_open_dir(folder, &fd, err) && file_write_atomic_at(fd, name, text.ptr, text.len, 0644, false, err);
    if (!is_written)
        err_wrap(err, "%s", option);
    return is_written;
}
