/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - reading, mapping and atomically writing files below a directory descriptor
 *
 * Threads: no shared state; nothing here changes the process's directory or umask (modes are set with fchmod).
 * Owns: a struct view owns its mapping until view_done().
 * Fails with: ERR_LOCAL (detail = errno), ERR_MALFORMED when a cap is passed.
 */
#ifndef IMGFACTORY_IO_FILE_H
#define IMGFACTORY_IO_FILE_H

#include "base/err.h"
#include "base/text.h"

#include <sys/types.h>

/* Bytes of a file, mapped read-only. An empty file gives ptr = "" and len = 0. */
struct view {
    const char *ptr;
    size_t len;
    void *mapping; /* what view_done() unmaps; may be longer than what is shown */
    size_t mapping_len;
};

#define FILE_ROOM_MAX 64
#define FILE_HIDDEN_NAME_BYTES 64

/* Checks that `count` (at most FILE_ROOM_MAX) more descriptors could be opened now; ERR_LOCAL (EMFILE, ENFILE) says which
 * limit is in the way. */
bool file_check_room(size_t count, struct err *err) MUST_CHECK;
/* Makes a directory and its parents (mode for those made); an existing directory is fine. */
bool file_make_dirs(const char *path, mode_t mode, struct err *err) MUST_CHECK;
/* Opens a directory (O_DIRECTORY | O_CLOEXEC). The caller closes *ret_fd. */
bool file_open_dir(const char *path, int *ret_fd, struct err *err) MUST_CHECK;
/* Reads a whole regular file of at most cap_bytes into `ret` (initialised here; the caller calls buf_done()). dirfd may
 * be AT_FDCWD. ERR_LOCAL with detail ENOENT when it is absent. */
bool file_read_at(int dirfd, const char *path, size_t cap_bytes, struct buf *ret, struct err *err) MUST_CHECK;
/* The same, but a symbolic link is not followed (ERR_MALFORMED): for directories that somebody else may have filled. */
bool file_read_unlinked_at(int dirfd, const char *path, size_t cap_bytes, struct buf *ret, struct err *err) MUST_CHECK;
/* Maps a whole regular file read-only. */
bool file_map_at(int dirfd, const char *path, struct view *ret_view, struct err *err) MUST_CHECK;
/* Maps the file behind a descriptor; `name` is for messages. The descriptor stays the caller's. */
bool file_map_fd(int fd, const char *name, struct view *ret_view, struct err *err) MUST_CHECK;
/* Gives the memory of what was read of a mapped file back; it can be read again. Nothing happens to an empty view. */
void view_give_back(const struct view *view);
/* The same for whole pages among `len` bytes at an offset into the mapping. */
void view_give_back_part(const struct view *view, size_t offset, size_t len);
/* Unmaps. Accepts a zeroed view. For AUTO(). */
void view_done(struct view *view);
/* Writes all bytes to a descriptor, whatever the kernel accepts at a time; `name` is for messages. */
bool file_write_all(int fd, const void *bytes, size_t len, const char *name, struct err *err) MUST_CHECK;
/* Replaces dirfd/name by these bytes so that a reader sees the old or the new file, never a part: unnamed or private
 * temporary file, then rename. With is_durable also fsync of file and directory. */
bool file_write_atomic_at(int dirfd, const char *name, const void *bytes, size_t len, mode_t mode, bool is_durable,
                          struct err *err) MUST_CHECK;
/* What a file shall have. */
struct file_content {
    const char *name; /* without a folder */
    struct text bytes;
};
#define FILE_SEVERAL_MAX 2
/* The same for several files of a folder, which belong together: all are written (a full disk changes none) before the first, and then
 * each in turn, is put into its place. */
bool file_write_several_at(int dirfd, const struct file_content *files, size_t count, mode_t mode, bool is_durable,
                           struct err *err) MUST_CHECK;
/* Makes a name by chance for a temporary file: hidden and short, whatever the name that the file will have. False with
 * errno. */
bool file_hidden_name(char ret_name[FILE_HIDDEN_NAME_BYTES]) MUST_CHECK;
/* Creates a file of such a name, for writing, mode 0600. The caller closes it; -1 with errno, and then ret_name is not to be
 * used. */
int file_create_hidden(int dirfd, char ret_name[FILE_HIDDEN_NAME_BYTES]);
/* Removes the temporary files that killed writers left in a directory. The caller sees to it (by a lock) that nobody is
 * in file_write_atomic_at() there. */
void file_remove_left_overs(int dirfd);
/* Calls visit() for every name in the directory, "." and ".." among them; it may remove the name. A directory that cannot
 * be read is taken for an empty one. */
void file_visit_names(int dirfd, void visit(int dirfd, const char *name));

#endif
