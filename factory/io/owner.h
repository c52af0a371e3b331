/* SPDX-License-Identifier: Apache-2.0 */
/* owner.h - whether a directory is ours alone: cache and state are believed, so nobody else may be able to change them
 *
 * Looked at: the directory, every directory above it, and the symbolic links on the way. Each has to belong to this
 * process's user or to root, and must not be writable by others; one above may be when it is sticky, as /tmp is. A group
 * that has no other member (a user's private group, with umask 002) does not count as others. Where this process sees
 * only a part of the users (user namespaces), directories above may belong to one that it cannot see. Directories that
 * IMGFACTORY_PRIVATE_DIRS in the environment names (absolute, with colons between) may be writable by all: volumes of a
 * container that nobody else mounts, as an emptyDir of Kubernetes, which is root's with mode 2777.
 * Threads: no shared state.
 * Fails with: ERR_LOCAL (detail = EPERM) that names the faulty directories and says what to do.
 */
#ifndef IMGFACTORY_IO_OWNER_H
#define IMGFACTORY_IO_OWNER_H

#include "base/err.h"

#include <sys/stat.h>

/* Checks a directory, or as much of its path as exists. */
bool owner_check(const char *path, struct err *err) MUST_CHECK;
/* Returns whether a file or directory belongs to this process's user or root and nobody else may write to it (a group
 * counts as others here). */
bool owner_is_ours(const struct stat *status);

#endif
