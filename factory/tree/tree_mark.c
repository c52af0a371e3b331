/* SPDX-License-Identifier: Apache-2.0 */
#include "tree/tree_mark.h"

#include "base/auto.h"
#include "base/map.h"
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAGIC "imgfactory tree 1"
#define MARK_MAX_BYTES ((size_t)512 << 20)
#define NAME_BYTES 256

struct name {
    char chars[NAME_BYTES];
};

static struct name name_of(const char *sub, bool is_announced)
{
    struct name name;
    (void)snprintf(name.chars, sizeof name.chars, ".%.200s.imgfactory%s", sub, is_announced ? ".new" : "");
    return name;
}

static char kind_of(mode_t mode)
{
    return S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISREG(mode) ? 'f' : '?';
}

/* A walk through the tree that is to go. */
struct walk {
    struct arena *arena;
    const char *shown;
    struct map listed; /* path → const char * "KIND SIZE MTIME" */
};

/* Reads a mark; *ret_found is false when there is none that can be read. */
static bool read_mark(struct walk *walk, int home, const struct name *name, struct buf *bytes)
{
    struct err ignored = {0};
    struct text rest, record;
    if (!file_read_unlinked_at(home, name->chars, MARK_MAX_BYTES, bytes, &ignored))
        return false;
    rest = (struct text){bytes->bytes, bytes->len};
    if (!text_next(&rest, '\0', &record) || !text_is(record, MAGIC))
        return false;
    walk->listed = (struct map){.arena = walk->arena};
    while (text_next(&rest, '\0', &record)) {
        const char *slash = memchr(record.ptr, '/', record.len);
        if (!slash)
            return record.len == 0;
        struct text path = {slash, record.len - (size_t)(slash - record.ptr)};
        struct text facts = text_trim((struct text){record.ptr, (size_t)(slash - record.ptr)});
        (void)map_add(&walk->listed, path, text_dup(walk->arena, facts));
    }
    return true;
}

static bool refuse(const struct walk *walk, const char *path, const char *what, struct err *err)
{
    err_set(err, ERR_LOCAL,
            "%s%s %s; nothing was touched: move it away, remove %s yourself, or name another directory with --tree",
            walk->shown, path, what, walk->shown);
    return false;
}

/* Checks one entry; *ret_is_dir tells to look into it. */
static bool check_entry(const struct walk *walk, int dir_fd, const char *name, const char *path, bool *ret_is_dir,
                        struct err *err)
{
    struct stat status;
    const char *facts = map_get(&walk->listed, text_of(path));
    if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        err_set_errno(err, errno, "%s%s", walk->shown, path);
        return false;
    }
    *ret_is_dir = S_ISDIR(status.st_mode);
    if (!facts)
        return refuse(walk, path, "is not of an earlier --tree", err);
    const char *is = *ret_is_dir ? "d 0 0"
                                 : arena_printf(walk->arena, "%c %lld %lld", kind_of(status.st_mode),
                                                (long long)status.st_size, (long long)status.st_mtim.tv_sec);
    return strcmp(is, facts) == 0 || refuse(walk, path, "was changed since an earlier --tree wrote it", err);
}

static void auto_closedir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* Only directories that the mark lists are entered, so the depth is that of a tree of ours. */
static bool check_dir(const struct walk *walk, int parent, const char *name, const char *path, struct err *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO(auto_closedir) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && errno == EACCES)
        return true; /* closed to its owner, as the package has it: nobody put anything there */
    if (!dir) {
        err_set_errno(err, errno, "cannot look into %s%s, which --tree would replace", walk->shown, path);
        auto_close_fd(&fd);
        return false;
    }
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        bool is_dir;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        const char *below = arena_printf(walk->arena, "%s/%s", path, entry->d_name);
        if (!check_entry(walk, dirfd(dir), entry->d_name, below, &is_dir, err) ||
            (is_dir && !check_dir(walk, dirfd(dir), entry->d_name, below, err)))
            return false;
    }
    return true;
}

bool tree_mark_check(int home, const char *sub, const char *shown, struct err *err)
{
    struct stat status;
    if (fstatat(home, sub, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    if (!S_ISDIR(status.st_mode)) {
        err_set(err, ERR_LOCAL, "%s: it exists and is not a directory", shown);
        return false;
    }
    for (int is_announced = 0; is_announced < 2; is_announced++) {
        AUTO(arena_done) struct arena scratch = {0};
        AUTO(buf_done) struct buf bytes = {0};
        struct walk walk = {.arena = &scratch, .shown = shown, .listed = {.arena = &scratch}};
        struct name name = name_of(sub, is_announced);
        bool is_marked = read_mark(&walk, home, &name, &bytes);
        if (is_announced && !is_marked)
            return false;
        err_clear(err);
        if (check_dir(&walk, home, sub, "", err))
            return true;
    }
    return false;
}

static bool add_record(struct buf *bytes, const struct node *node)
{
    bool is_dir = node->kind == NODE_DIRECTORY, is_link = node->kind == NODE_SYMLINK;
    uint64_t size_bytes = is_dir ? 0 : is_link ? strlen(node->target) : node->size_bytes;
    return buf_printf(bytes, "%c %llu %lld %s",
                      is_dir    ? 'd'
                      : is_link ? 'l'
                                : 'f',
                      (unsigned long long)size_bytes, is_dir ? 0 : (long long)node->mtime, node->path) &&
           buf_add(bytes, "", 1);
}

static int compare_path(const void *path, const void *node)
{
    return strcmp(path, ((const struct node *)node)->path);
}

/* A hard link has size and time of the file that it is. */
static const struct node *file_of(const struct tree *tree, const struct node *node)
{
    const struct node *file = node->kind != NODE_HARDLINK
                                  ? NULL
                                  : bsearch(node->target, tree->nodes, tree->count, sizeof *tree->nodes, compare_path);
    return file ? file : node;
}

bool tree_mark_announce(int home, const char *sub, const struct tree *tree, struct err *err)
{
    AUTO(buf_done) struct buf bytes;
    buf_init(&bytes, MARK_MAX_BYTES);
    bool is_whole = buf_add(&bytes, MAGIC, sizeof MAGIC);
    for (size_t i = 0; is_whole && i < tree->count; i++) {
        struct node record = *file_of(tree, &tree->nodes[i]);
        record.path = tree->nodes[i].path;
        is_whole = add_record(&bytes, &record);
    }
    if (!is_whole) {
        err_set(err, ERR_LOCAL, "the list of the tree's files is above %zu bytes", MARK_MAX_BYTES);
        return false;
    }
    return file_write_atomic_at(home, name_of(sub, true).chars, bytes.bytes, bytes.len, 0644, false, err);
}

bool tree_mark_commit(int home, const char *sub, const char *shown, struct err *err)
{
    if (renameat(home, name_of(sub, true).chars, home, name_of(sub, false).chars) == 0)
        return true;
    err_set_errno(err, errno, "%s: naming the list of its files", shown);
    return false;
}
