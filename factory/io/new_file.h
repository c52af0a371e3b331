/* SPDX-License-Identifier: Apache-2.0 */
/* new_file.h - a file that is written piece by piece, and appears, or takes the place of another, whole
 *
 * Until it is committed it has no name (O_TMPFILE), so that a killed process leaves nothing; where the file system cannot
 * do that, a hidden one beside the file. A commit syncs the file, gives it its name, and syncs the directory.
 * Threads: one file belongs to one thread.
 * Owns: two descriptors, until new_file_abandon().
 * Fails with: ERR_LOCAL (detail = errno); ERR_USAGE when the name is that of something that is no regular file.
 */
#ifndef IMGFACTORY_IO_NEW_FILE_H
#define IMGFACTORY_IO_NEW_FILE_H

#include "io/file.h"

struct new_file {
    const char *path;                         /* the caller's */
    int dirfd, fd;                            /* -1: none; fd is open for writing */
    const char *name;                         /* the last component of the path */
    char hidden_name[FILE_HIDDEN_NAME_BYTES]; /* empty: it has none */
};

/* Starts the file, and makes its directory and those above it where they are not there. */
bool new_file_begin(const char *path, struct new_file *ret_file, struct err *err) MUST_CHECK;
/* Gives it its name, with that mode. */
bool new_file_commit(struct new_file *file, mode_t mode, struct err *err) MUST_CHECK;
/* Closes, and drops what was not committed. Accepts one whose descriptors are -1. For AUTO(). */
void new_file_abandon(struct new_file *file);

#endif
