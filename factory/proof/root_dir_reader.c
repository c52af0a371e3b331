/* SPDX-License-Identifier: Apache-2.0 */
#include "proof/root_dir_reader.h"

#include "base/auto.h"
#include "closure/ld_cache.h"
#include "package/elf.h"
#include "package/path.h"
#include "package/script.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)64 * 1024)
#define LINK_MODE 0777   /* symlink(7) */
#define FOLDER_MODE 0755 /* of all: without an identity nobody asks who may enter */

static bool fail(const char *path, struct err *err)
{
    err_set_errno(err, errno, "cannot read %s of the directory that is checked", path);
    return false;
}

bool root_dir_reader_is_left(const char *name)
{
    static const char *const endings[] = {
        ".a",   ".bc",      ".c",    ".cc",   ".cfg", ".class", ".cmake", ".conf", ".cpp", ".crt",
        ".css", ".gif",     ".gz",   ".h",    ".hh",  ".hpp",   ".htm",   ".html", ".ini", ".jar",
        ".jpg", ".js",      ".json", ".jmod", ".md",  ".mo",    ".pc",    ".pem",  ".ph",  ".php",
        ".pl",  ".pm",      ".png",  ".pod",  ".py",  ".pyc",   ".pyi",   ".rb",   ".rst", ".rules",
        ".s",   ".service", ".sql",  ".svg",  ".tcl", ".txt",   ".xml",   ".yaml", ".yml", ".zip"};
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < ARRAY_COUNT(endings); i++) {
        if (strcmp(ending, endings[i]) == 0)
            return true;
    }
    return false;
}

/* Opens a directory by its names one after the other, for kernels without openat2(2). */
static int open_by_names(int root, const char *path)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct text rest = text_of(path), name;
    while (fd >= 0 && text_next(&rest, '/', &name)) {
        char text[PATH_MAX_COMPONENT + 1];
        if (!name.len)
            continue;
        if (name.len > PATH_MAX_COMPONENT) {
            (void)close(fd);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
        int below = openat(fd, text, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int error = errno;
        (void)close(fd);
        errno = error;
        fd = below;
    }
    return fd;
}

/* Opens a directory of the root; a symlink that somebody puts on the way meanwhile is not followed. */
static int open_folder(int root, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, root, *path ? path + 1 : ".", &how, sizeof how);
    bool is_missing = fd < 0 && (errno == ENOSYS || errno == EPERM); /* EPERM: of filters that do not know it */
    return is_missing ? open_by_names(root, path) : (int)fd;
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

/* Takes what the proof looks at: all of an ELF file and of the loader's cache, the beginning of any other. */
static bool take_bytes(struct root_dir_reader *reader, int fd, uint64_t size_bytes, struct node *node, struct err *err)
{
    char head[SCRIPT_HEAD_BYTES];
    ssize_t len = read_head(fd, size_bytes, head);
    if (len < 0)
        return fail(node->path, err);
    struct text bytes = {head, (size_t)len};
    bool is_elf = elf_is(bytes);
    if (is_elf || strcmp(node->path, LD_CACHE_PATH) == 0) {
        struct view view;
        if (!file_map_fd(fd, node->path, &view, err))
            return false;
        list_add(&reader->kept, &reader->views, view);
        bytes = (struct text){view.ptr, view.len};
    } else {
        bytes = text_has_prefix(bytes, "#!") ? (struct text){text_dup(&reader->kept, bytes), bytes.len} : TEXT("");
    }
    node->data = bytes.ptr;
    node->size_bytes = bytes.len;
    if (is_elf && elf_is(bytes)) {
        struct elf_facts *facts = arena_new(&reader->kept, struct elf_facts);
        elf_read(&reader->kept, bytes, facts);
        node->elf = facts;
    }
    return true;
}

/* Which file an open one is, whatever its name. */
struct inode {
    dev_t device;
    ino_t number;
};

struct seen_file {
    struct inode inode;
    struct node found; /* its bytes, and what they are */
};

static struct text inode_key(const struct inode *inode)
{
    return (struct text){(const char *)inode, sizeof *inode};
}

static bool find_seen(struct seen_files *seen, const struct inode *inode, struct node *node)
{
    pthread_mutex_lock(&seen->lock);
    const struct seen_file *file = map_get(&seen->by_inode, inode_key(inode));
    pthread_mutex_unlock(&seen->lock);
    if (!file)
        return false;
    node->data = file->found.data;
    node->size_bytes = file->found.size_bytes;
    node->elf = file->found.elf;
    return true;
}

static void add_seen(struct seen_files *seen, const struct inode *inode, const struct node *node)
{
    pthread_mutex_lock(&seen->lock);
    struct seen_file *file = arena_new(&seen->arena, struct seen_file);
    *file = (struct seen_file){.inode = *inode, .found = *node};
    (void)map_add(&seen->by_inode, inode_key(&file->inode), file); /* another reader may have been faster */
    pthread_mutex_unlock(&seen->lock);
}

/* Takes what the proof looks at, of a file with several names once. Of one of them the path matters. */
static bool take_file(struct root_dir_reader *reader, int fd, const struct stat *status, struct node *node,
                      struct err *err)
{
    struct inode inode;
    memset(&inode, 0, sizeof inode); /* a key has no padding that differs */
    inode.device = status->st_dev;
    inode.number = status->st_ino;
    bool is_seen_often = status->st_nlink > 1 && strcmp(node->path, LD_CACHE_PATH) != 0;
    if (is_seen_often && find_seen(reader->seen, &inode, node))
        return true;
    if (!take_bytes(reader, fd, (uint64_t)status->st_size, node, err))
        return false;
    if (is_seen_often)
        add_seen(reader->seen, &inode, node);
    return true;
}

/* Sets what fstat(2) tells; *ret_skipped: the name became something else since it was listed, or is gone. */
static bool open_file(struct root_dir_reader *reader, int dir, const char *name, struct node *node, bool *ret_skipped,
                      struct err *err)
{
    struct stat status;
    AUTO(auto_close_fd) int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int error = errno;
    *ret_skipped = false;
    if (fd < 0 && error == EACCES && fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        !(status.st_mode & 0111)) {
        node->mode = status.st_mode & 07777;
        return true; /* neither read nor executed */
    }
    errno = error;
    if (fd < 0 || fstat(fd, &status) != 0) {
        *ret_skipped = errno == ENOENT;
        return *ret_skipped || fail(node->path, err);
    }
    *ret_skipped = !S_ISREG(status.st_mode);
    node->mode = status.st_mode & 07777;
    return *ret_skipped || !status.st_size || take_file(reader, fd, &status, node, err);
}

/* FHS 3.0, 4.11: /usr/share is for what no machine runs or loads. Programs may be there all the same: scripts. So it is in
 * a root within the root, such as those of containers; but what an application has below a folder of that name may be its
 * libraries. */
static bool is_shared(const char *path)
{
    const char *share = strstr(path, "/usr/share/");
    return share && (share == path || !strstr(path_basename(path), ".so"));
}

/* Reads a regular file. What has the name of data is opened only when it may be executed. */
static bool read_file(struct root_dir_reader *reader, int dir, const char *name, struct folder_name *file,
                      bool *ret_skipped, struct err *err)
{
    struct node *node = &file->node;
    struct stat status;
    bool is_left = root_dir_reader_is_left(name);
    node->kind = NODE_FILE;
    node->data = "";
    *ret_skipped = false;
    if (is_left || is_shared(node->path)) {
        if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            *ret_skipped = errno == ENOENT;
            return *ret_skipped || fail(node->path, err);
        }
        node->mode = status.st_mode & 07777;
        file->is_left = is_left && !is_shared(node->path) && status.st_size && !(status.st_mode & 0111);
        if (!(status.st_mode & 0111) || !status.st_size)
            return true;
    }
    return open_file(reader, dir, name, node, ret_skipped, err);
}

static bool read_link(struct root_dir_reader *reader, int dir, const char *name, struct node *node, struct err *err)
{
    char target[PATH_MAX_BYTES + 2];
    ssize_t len = readlinkat(dir, name, target, sizeof target);
    if (len < 0)
        return fail(node->path, err);
    node->kind = NODE_SYMLINK;
    node->mode = LINK_MODE;
    node->target = arena_strndup(&reader->kept, target, (size_t)len);
    return true;
}

/* Notes a directory; what is below it is read later, unless that is nothing of the root's own. */
static void note_folder(struct root_dir_reader *reader, const struct folder *above, struct folder_name *name)
{
    static const char *const left_out[] = {"/proc", "/sys", "/dev", "/run"};
    name->node.kind = NODE_DIRECTORY;
    name->node.mode = FOLDER_MODE;
    if (reader->left_out && strcmp(name->node.path, reader->left_out) == 0)
        return;
    for (size_t i = 0; i < ARRAY_COUNT(left_out); i++) {
        if (strcmp(name->node.path, left_out[i]) == 0)
            return;
    }
    name->below = arena_new(&reader->scratch, struct folder);
    *name->below = (struct folder){.path = name->node.path, .depth = above->depth + 1};
    list_add(&reader->scratch, &reader->found, name->below);
}

static const char *join(struct arena *arena, const char *dir, const char *name)
{
    size_t dir_len = strlen(dir), name_len = strlen(name);
    char *path = arena_alloc(arena, dir_len + name_len + 2);
    memcpy(path, dir, dir_len);
    path[dir_len] = '/';
    memcpy(path + dir_len + 1, name, name_len + 1);
    return path;
}

/* Asks what a name is where the file system's directories do not tell. */
static unsigned char type_of(int dir, const char *name)
{
    struct stat status;
    return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? IFTODT(status.st_mode) : DT_FIFO;
}

static bool read_name(struct root_dir_reader *reader, struct folder *folder, int dir, const struct dirent64 *entry,
                      struct err *err)
{
    unsigned char type = entry->d_type == DT_UNKNOWN ? type_of(dir, entry->d_name) : entry->d_type;
    bool is_read = true, is_skipped = false;
    if (type != DT_DIR && type != DT_LNK && type != DT_REG)
        return true;
    struct folder_name name = {.node.path = join(&reader->kept, folder->path, entry->d_name)};
    if (atomic_fetch_add(reader->count, 1) >= ROOT_DIR_NODES_MAX) {
        err_set(err, ERR_MALFORMED, "the directory that is checked has more than %zu names", ROOT_DIR_NODES_MAX);
        return false;
    }
    if (type == DT_DIR)
        note_folder(reader, folder, &name);
    else if (type == DT_LNK)
        is_read = read_link(reader, dir, entry->d_name, &name.node, err);
    else
        is_read = read_file(reader, dir, entry->d_name, &name, &is_skipped, err);
    if (is_read && !is_skipped)
        list_add(&reader->scratch, &folder->names, name);
    return is_read;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static bool read_names(struct root_dir_reader *reader, struct folder *folder, int dir, struct err *err)
{
    for (;;) {
        ssize_t len = getdents64(dir, reader->buffer, BUFFER_BYTES);
        if (len <= 0)
            return len == 0 || errno == ENOENT || fail(folder->path, err); /* ENOENT: it was removed */
        for (size_t at = 0; at < (size_t)len;) {
            const struct dirent64 *entry = (const void *)(reader->buffer + at);
            if (!is_dots(entry->d_name) && !read_name(reader, folder, dir, entry, err))
                return false;
            at += entry->d_reclen;
        }
    }
}

bool root_dir_reader_read(struct root_dir_reader *reader, struct folder *folder, struct err *err)
{
    if (folder->depth > PATH_MAX_DEPTH || strlen(folder->path) > PATH_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: deeper than %d directories", folder->path, PATH_MAX_DEPTH);
        return false;
    }
    AUTO(auto_close_fd) int dir = open_folder(reader->root, folder->path);
    if (dir < 0)
        return (errno == ENOENT && *folder->path) || fail(folder->path, err); /* it went since it was listed */
    if (!reader->buffer)
        reader->buffer = arena_alloc(&reader->scratch, BUFFER_BYTES);
    return read_names(reader, folder, dir, err);
}

bool root_dir_reader_open(struct root_dir_reader *reader, const struct folder *folder, struct folder_name *name,
                          struct err *err)
{
    bool is_skipped;
    AUTO(auto_close_fd) int dir = open_folder(reader->root, folder->path);
    if (dir < 0)
        return errno == ENOENT || fail(folder->path, err);
    name->is_left = false;
    return open_file(reader, dir, path_basename(name->node.path), &name->node, &is_skipped, err);
}

void root_dir_reader_trim(struct root_dir_reader *reader)
{
    arena_done(&reader->scratch);
    reader->found = (struct folders){0};
    reader->buffer = NULL;
}

void root_dir_reader_done(struct root_dir_reader *reader)
{
    for (size_t i = 0; i < reader->views.count; i++)
        view_done(&reader->views.items[i]);
    root_dir_reader_trim(reader);
    arena_done(&reader->kept);
}
