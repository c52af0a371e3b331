/* SPDX-License-Identifier: Apache-2.0 */
/* errand.h - small things that the broker does for threads that may not do them themselves (confine.h)
 *
 * Threads: any; they wait for the answer.
 * Fails with: ERR_LOCAL.
 */
#ifndef IMGFACTORY_IO_ERRAND_H
#define IMGFACTORY_IO_ERRAND_H

#include "base/text.h"

struct broker;

/* Has a temporary file without a name opened, as spool_open() does. The caller closes *ret_fd. */
bool errand_temporary(struct broker *broker, int *ret_fd, struct err *err) MUST_CHECK;
/* Asks for the name of a running process (proc_pid_comm(5)), in the arena; NULL: there is no telling. */
const char *errand_comm(struct broker *broker, uint64_t pid, struct arena *arena);

#endif
