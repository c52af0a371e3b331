/* SPDX-License-Identifier: Apache-2.0 */
/* confine_filter.h - a seccomp(2) filter against sockets and other processes (part of confine.h)
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_IO_CONFINE_FILTER_H
#define IMGFACTORY_IO_CONFINE_FILTER_H

#include <stdbool.h>

/* Returns whether this kernel takes filters, and this machine's system calls are known. */
bool confine_filter_is_possible(void);
/* Has the kernel answer EACCES to calls of the calling thread, and of those that it starts, that make sockets, look into
 * other processes, or get around Landlock. no_new_privs has to be set. Messages with descriptors pass
 * over `channel_fd` alone; -1: over none. False with errno. */
bool confine_filter(int channel_fd);

#endif
