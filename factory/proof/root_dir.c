#include "proof/root_dir.h"

#include "base/auto.h"
#include "closure/ld_cache.h"
#include "package/elf.h"
#include "package/path.h"
#include "package/script.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NODES_MAX ((size_t)4 << 20)

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool fail(const char *path, struct err *err)
{
    err_set_errno(err, errno, "cannot read %s of the directory that is checked", path);
    return false;
}

/* Reads the beginning of a file of that size; the end of the file or of the buffer ends it. */
static ssize_t read_head(int fd, uint64_t size_bytes, char head[SCRIPT_HEAD_BYTES])
{
    size_t len = 0;
    ssize_t got = 1;
    while (len < SCRIPT_HEAD_BYTES && len < size_bytes && got > 0) {
        do
            got = read(fd, head + len, SCRIPT_HEAD_BYTES - len);
        while (got < 0 && errno == EINTR);
        len += got > 0 ? (size_t)got : 0;
    }
    return got < 0 ? got : (ssize_t)len;
}

/* FHS 3.0, 4.11: /usr/share is for what no machine runs or loads. Programs may be there all the same: scripts. */
static bool is_data(const struct node *node)
{
    return strncmp(node->path, "/usr/share/", 11) == 0 && !(node->mode & 0111);
}

/* Takes what the proof looks at: all of an ELF file and of the loader's cache, the beginning of any other. Images have
 * thousands of files, so each costs as few system calls as can be: one that was changed for a directory or a fifo since
 * it was listed gives an error of its own at open (O_NONBLOCK) or read. */
static bool read_file(struct root_dir *root, int dir, const char *name, uint64_t size_bytes, struct node *node,
                      struct err *err)
{
    char head[SCRIPT_HEAD_BYTES];
    node->data = "";
    if (!size_bytes || is_data(node))
        return true;
    AUTO(auto_close_fd) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || (errno == EACCES && !(node->mode & 0111))))
        return true;
    ssize_t len = fd < 0 ? -1 : read_head(fd, size_bytes, head);
    if (len < 0)
        return fail(node->path, err);
    struct text bytes = {head, (size_t)len};
    if (elf_is(bytes) || strcmp(node->path, LD_CACHE_PATH) == 0) {
        struct view view;
        if (!file_map_fd(fd, node->path, &view, err))
            return false;
        list_add(root->arena, &root->views, view);
        bytes = (struct text){view.ptr, view.len};
    } else {
        bytes = text_has_prefix(bytes, "#!") ? (struct text){text_dup(root->arena, bytes), bytes.len} : TEXT("");
    }
    node->data = bytes.ptr;
    node->size_bytes = bytes.len;
    return true;
}

static bool read_link(struct root_dir *root, int dir, const char *name, struct node *node, struct err *err)
{
    char target[PATH_MAX_BYTES + 2];
    ssize_t len = readlinkat(dir, name, target, sizeof target);
    if (len < 0)
        return fail(node->path, err);
    node->target = arena_strndup(root->arena, target, (size_t)len);
    return true;
}

static bool read_dir(struct root_dir *root, int fd, const char *path, unsigned depth, struct err *err);

static bool read_below(struct root_dir *root, int dir, const char *name, const struct node *node, unsigned depth,
                       struct err *err)
{
    static const char *const left_out[] = {"/proc", "/sys", "/dev", "/run"};
    for (size_t i = 0; i < ARRAY_COUNT(left_out); i++) {
        if (strcmp(node->path, left_out[i]) == 0)
            return true;
    }
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || fail(node->path, err);
    return read_dir(root, fd, node->path, depth + 1, err);
}

static bool read_name(struct root_dir *root, int dir, const char *parent, const char *name, unsigned depth,
                      struct err *err)
{
    struct stat status;
    struct node node = {.path = arena_printf(root->arena, "%s/%s", parent, name)};
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || fail(node.path, err); /* it went since the directory was listed */
    node.mode = status.st_mode & 07777;
    node.kind = S_ISDIR(status.st_mode) ? NODE_DIRECTORY : S_ISLNK(status.st_mode) ? NODE_SYMLINK : NODE_FILE;
    if (node.kind == NODE_FILE && !S_ISREG(status.st_mode))
        return true;
    if (root->nodes.count == NODES_MAX) {
        err_set(err, ERR_MALFORMED, "the directory that is checked has more than %zu names", NODES_MAX);
        return false;
    }
    bool is_read = node.kind == NODE_FILE      ? read_file(root, dir, name, (uint64_t)status.st_size, &node, err)
                   : node.kind == NODE_SYMLINK ? read_link(root, dir, name, &node, err)
                                               : true;
    if (!is_read)
        return false;
    list_add(root->arena, &root->nodes, node);
    return node.kind != NODE_DIRECTORY || read_below(root, dir, name, &node, depth, err);
}

/* Reads all of a directory; takes the descriptor. Recursion ends at PATH_MAX_DEPTH. */
static bool read_dir(struct root_dir *root, int fd, const char *path, unsigned depth, struct err *err)
{
    AUTO(close_dir) DIR *dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return fail(path, err);
    }
    if (depth > PATH_MAX_DEPTH || strlen(path) > PATH_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: deeper than %d directories", path, PATH_MAX_DEPTH);
        return false;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry)
            return errno == 0 || fail(path, err);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !read_name(root, fd, path, entry->d_name, depth, err))
            return false;
    }
}

static int compare_nodes(const void *a, const void *b)
{
    return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

bool root_dir_read(struct arena *arena, const char *path, struct root_dir *ret_root, struct err *err)
{
    *ret_root = (struct root_dir){.arena = arena};
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(path, err);
    if (!read_dir(ret_root, fd, "", 0, err)) {
        root_dir_done(ret_root);
        return false;
    }
    if (ret_root->nodes.count)
        qsort(ret_root->nodes.items, ret_root->nodes.count, sizeof(struct node), compare_nodes);
    ret_root->tree = (struct tree){.nodes = ret_root->nodes.items, .count = ret_root->nodes.count};
    return true;
}

void root_dir_done(struct root_dir *root)
{
    for (size_t i = 0; i < root->views.count; i++)
        view_done(&root->views.items[i]);
    *root = (struct root_dir){0};
}
