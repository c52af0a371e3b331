/* SPDX-License-Identifier: Apache-2.0 */
/* system_host.h - the file system of a host below its root folder, which nothing leads out of
 *
 * Every path is resolved as the host itself would: links in it count, and stay below the root (openat2(2),
 * RESOLVE_IN_ROOT, Linux 5.6). Where the kernel has no openat2 a path with a link in it is refused.
 * Threads: no shared state.
 * Owns: struct system_host holds a descriptor until system_host_close().
 * Fails with: ERR_LOCAL (detail = errno), ERR_MALFORMED (a file that is larger than wanted, or no regular one).
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_HOST_H
#define IMGFACTORY_SYSTEM_SYSTEM_HOST_H

#include "base/text.h"

#include <sys/stat.h>

struct system_host {
    int root;          /* -1: not open */
    const char *shown; /* how the root is called in messages: "" for "/" */
};

/* Opens the root folder `dir`. */
bool system_host_open(struct arena *arena, const char *dir, struct system_host *ret_host, struct err *err) MUST_CHECK;
/* Closes it. For AUTO(). */
void system_host_close(struct system_host *host);
/* Opens what `path` (absolute) leads to, with openat()'s flags; -1 with errno. */
int system_host_open_at(const struct system_host *host, const char *path, int flags);
/* Opens the directory that holds the path; *ret_name points at its last component. */
bool system_host_parent(const struct system_host *host, const char *path, int *ret_fd, const char **ret_name,
                        struct err *err) MUST_CHECK;
/* Makes a directory and those above it (0755), adding the paths of those that were not there to `made` (may be NULL). */
bool system_host_make_dirs(const struct system_host *host, struct arena *arena, const char *path, struct strings *made,
                           struct err *err) MUST_CHECK;
/* Tells what is at a path, its last link not followed; false with errno when nothing is. */
bool system_host_stat(const struct system_host *host, const char *path, struct stat *ret_status);
/* Reads a regular file of at most cap_bytes. *ret_found is false when nothing is there. */
bool system_host_read(const struct system_host *host, struct arena *arena, const char *path, size_t cap_bytes,
                      struct text *ret_text, bool *ret_found, struct err *err) MUST_CHECK;

#endif
