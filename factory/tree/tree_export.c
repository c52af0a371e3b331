/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "io/file.h"
#include "io/tree_remove.h"
#include "package/path.h"
#include "tree/tree.h"
#include "tree/tree_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* An export under way: `root` is the new tree's top directory, private until it is renamed. */
struct export
{
    const struct tree *tree;
    const char *shown; /* "dir/name/sub", for messages */
    int root;
    bool is_superuser;
};

static bool fail(const struct export *export, const char *path, struct err *err)
{
    err_set_errno(err, errno, "%s%s", export->shown, path);
    return false;
}

/* Opens the directory that `path` is to be in, component by component: all of them are directories that we made.
 * *ret_name is the last component. */
static bool open_parent(const struct export *export, const char *path, int *ret_fd, const char **ret_name,
                        struct err *err)
{
    int fd AUTO(auto_close_fd) = fcntl(export->root, F_DUPFD_CLOEXEC, 0);
    const char *at = path + 1;
    for (const char *slash; fd >= 0 && (slash = strchr(at, '/')); at = slash + 1) {
        char component[PATH_MAX_COMPONENT + 1];
        size_t len = (size_t)(slash - at);
        if (len > PATH_MAX_COMPONENT) {
            errno = ENAMETOOLONG;
            return fail(export, path, err);
        }
        memcpy(component, at, len);
        component[len] = '\0';
        int below = openat(fd, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        auto_close_fd(&fd);
        fd = below;
    }
    if (fd < 0)
        return fail(export, path, err);
    *ret_fd = take_fd(&fd);
    *ret_name = at;
    return true;
}

static mode_t mode_of(const struct export *export, const struct node *node)
{
    return node->mode & (export->is_superuser ? 07777 : 01777);
}

static void times_of(const struct node *node, struct timespec times[2])
{
    times[0] = times[1] = (struct timespec){.tv_sec = node->mtime};
}

/* Sets owner, mode and time of an open file or directory, in the order that keeps setuid bits. */
static bool set_facts(const struct export *export, const struct node *node, int fd, struct err *err)
{
    struct timespec times[2];
    times_of(node, times);
    if (export->is_superuser && fchown(fd, node->uid, node->gid) != 0)
        return fail(export, node->path, err);
    if (fchmod(fd, mode_of(export, node)) != 0 || futimens(fd, times) != 0)
        return fail(export, node->path, err);
    return true;
}

static bool write_file(const struct export *export, const struct node *node, int parent, const char *name,
                       struct err *err)
{
    if (node->digest) {
        struct digest digest = digest_of(node->data, node->size_bytes);
        if (!digest_eq(&digest, node->digest)) {
            err_set(err, ERR_TRUST, "%s%s: its bytes in the store are damaged: expected SHA-256 %s, got %s",
                    export->shown, node->path, digest_hex(node->digest).chars, digest_hex(&digest).chars);
            return false;
        }
    }
    int fd AUTO(auto_close_fd) = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(export, node->path, err);
    return file_write_all(fd, node->data, node->size_bytes, node->path, err) && set_facts(export, node, fd, err);
}

static bool write_symlink(const struct export *export, const struct node *node, int parent, const char *name,
                          struct err *err)
{
    struct timespec times[2];
    times_of(node, times);
    if (symlinkat(node->target, parent, name) != 0 ||
        (export->is_superuser && fchownat(parent, name, node->uid, node->gid, AT_SYMLINK_NOFOLLOW) != 0) ||
        utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(export, node->path, err);
    return true;
}

static bool write_hardlink(const struct export *export, const struct node *node, int parent, const char *name,
                           struct err *err)
{
    int from AUTO(auto_close_fd) = -1;
    const char *from_name;
    if (!open_parent(export, node->target, &from, &from_name, err))
        return false;
    return linkat(from, from_name, parent, name, 0) == 0 || fail(export, node->path, err);
}

/* Makes a directory that only we can use for now; set_dirs() gives it its own facts when all is inside. */
static bool write_dir(const struct export *export, const struct node *node, int parent, const char *name,
                      struct err *err)
{
    /* mkdir(2) obeys the umask, which may take away our own rights */
    return (mkdirat(parent, name, 0700) == 0 && fchmodat(parent, name, 0700, 0) == 0) || fail(export, node->path, err);
}

static bool write_node(const struct export *export, const struct node *node, struct err *err)
{
    int parent AUTO(auto_close_fd) = -1;
    const char *name;
    if (!open_parent(export, node->path, &parent, &name, err))
        return false;
    switch (node->kind) {
    case NODE_DIRECTORY:
        return write_dir(export, node, parent, name, err);
    case NODE_FILE:
        return write_file(export, node, parent, name, err);
    case NODE_SYMLINK:
        return write_symlink(export, node, parent, name, err);
    case NODE_HARDLINK:
        return write_hardlink(export, node, parent, name, err);
    }
    return true;
}

/* Innermost first: a directory may be one that its owner cannot enter, and its time changes with each entry. */
static bool set_dirs(const struct export *export, struct err *err)
{
    for (size_t i = export->tree->count; i-- > 0;) {
        const struct node *node = &export->tree->nodes[i];
        int parent AUTO(auto_close_fd) = -1, fd AUTO(auto_close_fd) = -1;
        const char *name;
        if (node->kind != NODE_DIRECTORY)
            continue;
        if (!open_parent(export, node->path, &parent, &name, err))
            return false;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return fail(export, node->path, err);
        if (!set_facts(export, node, fd, err))
            return false;
    }
    const struct node top = {.path = "", .mode = 0755, .mtime = export->tree->created_time};
    return set_facts(export, &top, export->root, err);
}

static bool write_all(const struct export *export, struct err *err)
{
    for (size_t i = 0; i < export->tree->count; i++) {
        if (!write_node(export, &export->tree->nodes[i], err))
            return false;
    }
    return set_dirs(export, err);
}

/* Makes a directory of ours beside `sub` that nobody else uses. */
static bool make_temporary(int home, const char *shown, const char *sub, char name[256], int *ret_fd, struct err *err)
{
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, 256, ".%.200s.%ld.%u", sub, (long)getpid(), i);
        if (mkdirat(home, name, 0700) != 0) {
            if (errno == EEXIST)
                continue;
            break;
        }
        if (fchmodat(home, name, 0700, 0) != 0)
            break;
        *ret_fd = openat(home, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (*ret_fd < 0)
            break;
        return true;
    }
    err_set_errno(err, errno, "%s: making a temporary directory beside it", shown);
    return false;
}

/* Gives the new tree its name. The former one is exchanged (Linux 3.15; not on every file system) or moved aside, and
 * removed. */
static bool replace(int home, const char *shown, const char *made, const char *sub, struct err *err)
{
    struct stat former;
    if (fstatat(home, sub, &former, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT && renameat2(home, made, home, sub, RENAME_NOREPLACE) == 0)
            return true;
        if ((errno == EINVAL || errno == ENOSYS || errno == ENOENT) && renameat(home, made, home, sub) == 0)
            return true;
        err_set_errno(err, errno, "%s", shown);
        return false;
    }
    if (renameat2(home, made, home, sub, RENAME_EXCHANGE) == 0)
        return tree_remove(home, made, err);
    char aside[300];
    (void)snprintf(aside, sizeof(aside), "%s.old", made);
    bool is_aside = renameat(home, sub, home, aside) == 0;
    if (!is_aside || renameat(home, made, home, sub) != 0) {
        err_set_errno(err, errno, "%s: replacing the former tree", shown);
        if (is_aside)
            (void)renameat(home, aside, home, sub);
        return false;
    }
    return tree_remove(home, aside, err);
}

static bool is_component(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= 200;
}

/* Writes into a fresh directory beside `sub` and puts it in place; what is left of a failure is removed. */
static bool export_below(const struct tree *tree, int home, const char *shown, const char *sub, struct err *err)
{
    char made[256];
    int root AUTO(auto_close_fd) = -1;
    if (!tree_mark_check(home, sub, shown, err) || !make_temporary(home, shown, sub, made, &root, err))
        return false;
    const struct export export = {.tree = tree, .shown = shown, .root = root, .is_superuser = geteuid() == 0};
    if (write_all(&export, err) && tree_mark_announce(home, sub, tree, err) && replace(home, shown, made, sub, err))
        return tree_mark_commit(home, sub, shown, err);
    struct err ignored = {0};
    (void)!tree_remove(home, made, &ignored); /* the first failure is the one to tell */
    return false;
}

bool tree_export(const struct tree *tree, const char *dir, const char *name, const char *sub, struct err *err)
{
    struct arena arena AUTO(arena_done) = {0};
    if (!is_component(name) || !is_component(sub)) {
        err_set(err, ERR_USAGE, "\"%s\" and \"%s\" must be plain names of directories", name, sub);
        return false;
    }
    const char *parent = arena_printf(&arena, "%s/%s", dir, name);
    int home AUTO(auto_close_fd) = -1;
    if (!file_make_dirs(parent, 0755, err) || !file_open_dir(parent, &home, err))
        return false;
    return export_below(tree, home, arena_printf(&arena, "%s/%s", parent, sub), sub, err);
}
