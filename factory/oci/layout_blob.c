/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/layout_parts.h"

#include "base/auto.h"
#include "io/hashed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define TEMPORARY_PREFIX ".tmp-"

/* Opens a blob that is a regular file; -1 otherwise. */
static int open_blob(const struct layout *layout, const struct digest *digest, struct stat *ret_status)
{
    struct digest_hex name = digest_hex(digest);
    if (layout->blobs_fd < 0)
        return -1;
    AUTO(auto_close_fd)
    int fd = openat(layout->blobs_fd, name.chars, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 || fstat(fd, ret_status) || !S_ISREG(ret_status->st_mode) ? -1 : take_fd(&fd);
}

/* Maps it, and says whether its bytes are what its name says. */
static bool map_whole(int fd, const struct digest *digest, struct view *ret_view)
{
    struct err ignored = {0};
    if (!file_map_fd(fd, "a blob", ret_view, &ignored))
        return false;
    struct digest got = digest_of(ret_view->ptr, ret_view->len);
    return digest_eq(&got, digest);
}

bool layout_has_blob(const struct layout *layout, struct hashed *hashed, const struct digest *digest,
                     uint64_t size_bytes)
{
    struct stat status;
    AUTO(view_done) struct view view = {0};
    AUTO(auto_close_fd) int fd = open_blob(layout, digest, &status);
    bool is_big = size_bytes >= HASHED_LEN_MIN;
    if (fd < 0 || (uint64_t)status.st_size != size_bytes)
        return false;
    if (is_big && hashed_has(hashed, &status, size_bytes, digest))
        return true;
    if (!map_whole(fd, digest, &view))
        return false;
    if (is_big)
        hashed_note(hashed, &status, size_bytes, digest);
    return true;
}

bool layout_read_document(const struct layout *layout, struct arena *arena, const struct digest *digest,
                          struct text *ret_bytes)
{
    struct stat status;
    AUTO(view_done) struct view view = {0};
    AUTO(auto_close_fd) int fd = open_blob(layout, digest, &status);
    if (fd < 0 || status.st_size > (off_t)LAYOUT_DOCUMENT_MAX_BYTES || !map_whole(fd, digest, &view))
        return false;
    *ret_bytes = (struct text){arena_strndup(arena, view.ptr, view.len), view.len};
    return true;
}

/* What is put into a layout: bytes, and the blob of the store that has them, if one does. */
struct putting {
    struct text bytes;
    const struct store *store; /* NULL: none */
    const struct digest *digest;
};

/* Never a second link to the store's file: what somebody does to a layout is no business of the store's. */
static bool fill(int fd, const char *name, const struct putting *putting, struct err *err)
{
    return (putting->store && store_clone_blob(putting->store, putting->digest, fd)) ||
           file_write_all(fd, putting->bytes.ptr, putting->bytes.len, name, err);
}

static bool write_temporary(const struct layout *layout, int dirfd, const char *name, const struct putting *putting,
                            struct err *err)
{
    /* The lock is ours: a file of that name can only be a killed writer's. */
    (void)unlinkat(dirfd, name, 0);
    AUTO(auto_close_fd) int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        err_set_errno(err, errno, "cannot create a file in %s", layout->path);
        return false;
    }
    if (!fill(fd, name, putting, err))
        return false;
    if (fchmod(fd, 0644) || fsync(fd)) {
        err_set_errno(err, errno, "cannot complete %s", name);
        return false;
    }
    int closed = close(take_fd(&fd));
    if (closed)
        err_set_errno(err, errno, "cannot close %s", name);
    return !closed;
}

static bool put(const struct layout *layout, int dirfd, const char *name, const struct putting *putting,
                struct err *err)
{
    char temporary[NAME_MAX + 1];
    (void)snprintf(temporary, sizeof temporary, TEMPORARY_PREFIX "%s", name);
    bool is_put = write_temporary(layout, dirfd, temporary, putting, err);
    if (is_put && renameat(dirfd, temporary, dirfd, name)) {
        err_set_errno(err, errno, "cannot rename to %s", name);
        is_put = false;
    }
    if (is_put)
        return true;
    (void)unlinkat(dirfd, temporary, 0);
    err_wrap(err, "%s: writing %s (%zu bytes)", layout->path, name, putting->bytes.len);
    return false;
}

bool layout_put(const struct layout *layout, int dirfd, const char *name, struct text bytes, struct err *err)
{
    return put(layout, dirfd, name, &(struct putting){.bytes = bytes}, err);
}

/* What was put there was right, and need not be read again. */
static void note_put(const struct layout *layout, struct store *store, const struct layout_piece *piece)
{
    struct stat status;
    struct digest_hex name = digest_hex(&piece->digest);
    if (piece->size_bytes >= HASHED_LEN_MIN &&
        fstatat(layout->blobs_fd, name.chars, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        (uint64_t)status.st_size == piece->size_bytes)
        hashed_note(store_hashed(store), &status, piece->size_bytes, &piece->digest);
}

static bool put_layer(const struct layout *layout, struct store *store, const struct layout_piece *piece,
                      struct err *err)
{
    AUTO(view_done) struct view view = {0};
    bool is_found;
    struct digest_hex name = digest_hex(&piece->digest);
    if (!store_map_blob(store, &piece->digest, &view, &is_found, err))
        return false;
    if (!is_found || view.len != piece->size_bytes) {
        err_set(err, ERR_LOCAL, "%s: the layer sha256:%s is not in the cache any more, or was damaged there; run again",
                layout->path, name.chars);
        return false;
    }
    struct putting putting = {{view.ptr, view.len}, store, &piece->digest};
    if (!put(layout, layout->blobs_fd, name.chars, &putting, err))
        return false;
    note_put(layout, store, piece);
    return true;
}

bool layout_put_blob(const struct layout *layout, struct store *store, const struct layout_piece *piece,
                     struct err *err)
{
    if (!piece->bytes)
        return put_layer(layout, store, piece, err);
    struct digest_hex name = digest_hex(&piece->digest);
    return layout_put(layout, layout->blobs_fd, name.chars, (struct text){piece->bytes, (size_t)piece->size_bytes},
                      err);
}

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static void clean_directory(int dirfd)
{
    AUTO(auto_close_fd) int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return;
    (void)take_fd(&fd);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strncmp(entry->d_name, TEMPORARY_PREFIX, sizeof TEMPORARY_PREFIX - 1) == 0)
            (void)unlinkat(dirfd, entry->d_name, 0);
    }
}

int layout_open_beside(int layout_fd)
{
    return openat(layout_fd, LAYOUT_BESIDE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void layout_clean(const struct layout *layout)
{
    clean_directory(layout->fd);
    if (layout->blobs_fd >= 0)
        clean_directory(layout->blobs_fd);
    AUTO(auto_close_fd) int beside = layout_open_beside(layout->fd);
    if (beside >= 0)
        clean_directory(beside);
}

bool layout_sync(const struct layout *layout, int dirfd, struct err *err)
{
    /* Some file systems cannot sync a directory and say so; there is nothing more to do on those. */
    if (!fsync(dirfd) || errno == EINVAL || errno == EROFS)
        return true;
    err_set_errno(err, errno, "cannot sync a directory of %s", layout->path);
    return false;
}
