/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tree_remove.h"

#include "base/arena.h"
#include "base/auto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 512 /* descriptors held at a time */
#define ROUNDS_MAX 16 /* readings of one directory: some file systems skip entries while others go away */

struct open_dir {
    DIR *stream;
    unsigned rounds;
    char name[256]; /* in the directory before */
};

/* The directories that are open, the outermost first. */
struct removal {
    struct open_dir *dirs;
    size_t depth;
};

static void removal_done(struct removal *removal)
{
    while (removal->depth)
        (void)closedir(removal->dirs[--removal->depth].stream);
    free(removal->dirs);
}

/* Opens one directory down; one that the owner may not read or empty is made so. */
static bool go_in(struct removal *removal, int parent, const char *name, struct err *err)
{
    if (removal->depth == DEPTH_MAX || strlen(name) > 255) {
        err_set(err, ERR_LOCAL, "removing \"%s\": more than %d directories deep", name, DEPTH_MAX);
        return false;
    }
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd AUTO(auto_close_fd) = openat(parent, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
        fd = openat(parent, name, flags);
    if (fd < 0) {
        err_set_errno(err, errno, "removing directory \"%s\"", name);
        return false;
    }
    (void)fchmod(fd, 0700);
    DIR *stream = fdopendir(fd);
    if (!stream) {
        err_set_errno(err, errno, "removing directory \"%s\"", name);
        return false;
    }
    (void)take_fd(&fd);
    struct open_dir *dir = &removal->dirs[removal->depth++];
    dir->stream = stream;
    dir->rounds = 1;
    memcpy(dir->name, name, strlen(name) + 1); /* checked above */
    return true;
}

/* Removes the innermost directory, which should be empty now, and closes it. */
static bool go_out(struct removal *removal, int top, struct err *err)
{
    struct open_dir *dir = &removal->dirs[removal->depth - 1];
    int parent = removal->depth > 1 ? dirfd(dir[-1].stream) : top;
    if (unlinkat(parent, dir->name, AT_REMOVEDIR) == 0) {
        (void)closedir(dir->stream);
        removal->depth--;
        return true;
    }
    if ((errno == ENOTEMPTY || errno == EEXIST) && dir->rounds++ < ROUNDS_MAX) {
        rewinddir(dir->stream);
        return true;
    }
    err_set_errno(err, errno, "removing directory \"%s\"", dir->name);
    return false;
}

/* Removes the next entry of the innermost directory, or goes into it, or out when there is none. */
static bool take_next(struct removal *removal, int top, struct err *err)
{
    DIR *stream = removal->dirs[removal->depth - 1].stream;
    errno = 0;
    const struct dirent *entry = readdir(stream);
    if (!entry && errno) {
        err_set_errno(err, errno, "reading directory \"%s\"", removal->dirs[removal->depth - 1].name);
        return false;
    }
    if (!entry)
        return go_out(removal, top, err);
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return true;
    if (unlinkat(dirfd(stream), entry->d_name, 0) == 0)
        return true;
    if (errno == EISDIR || errno == EPERM)
        return go_in(removal, dirfd(stream), entry->d_name, err);
    err_set_errno(err, errno, "removing \"%s\"", entry->d_name);
    return false;
}

bool tree_remove(int dirfd, const char *name, struct err *err)
{
    struct removal removal AUTO(removal_done) = {.dirs = calloc(DEPTH_MAX, sizeof(struct open_dir))};
    if (!removal.dirs)
        memory_abort(DEPTH_MAX * sizeof(struct open_dir));
    if (!go_in(&removal, dirfd, name, err))
        return false;
    while (removal.depth) {
        if (!take_next(&removal, dirfd, err))
            return false;
    }
    return true;
}
