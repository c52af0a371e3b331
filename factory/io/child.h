/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - running a trusted host program (gpgv) with descriptors and nothing else
 *
 * posix_spawn with an environment of LC_ALL=C and PATH only, standard input and error at /dev/null, all other
 * descriptors closed but those listed, a process group of its own. Nothing that came from a package is ever run. A
 * program that the user's own configuration names may be given input and some of the environment besides
 * (child_run_with_input()).
 * Threads: any thread.
 * Fails with: ERR_LOCAL (program missing: detail ENOENT; time-out: ETIMEDOUT; spawn errors), ERR_MALFORMED when stdout
 * passes its cap.
 */
#ifndef IMGFACTORY_IO_CHILD_H
#define IMGFACTORY_IO_CHILD_H

#include "base/text.h"

/* The descriptors the child inherits under the same numbers as in the parent (they may be O_CLOEXEC here); all above 2.
 */
struct child_fds {
    const int *fds;
    size_t count;
};

/* Runs argv[0] (looked up in PATH), collects its standard output (at most stdout_cap bytes; `ret_stdout` is initialised
 * here, the caller calls buf_done()) and waits for its end, at most timeout_ms. *ret_exit is the exit status, or 128 +
 * signal. */
bool child_run(const char *const *argv, struct child_fds inherit, size_t stdout_cap, unsigned timeout_ms,
               struct buf *ret_stdout, int *ret_exit, struct err *err) MUST_CHECK;
/* What a child is given besides its arguments. */
struct child_input {
    struct text bytes;              /* its standard input */
    const char *const *environment; /* names of variables to pass on; "AWS_*" means all that begin so */
    size_t environment_count;
};

/* As child_run(), with standard input and variables. Input and output may be secret: no copy of them is left behind in
 * memory but in `ret_stdout`, which the caller wipes (its `capacity` bytes). */
bool child_run_with_input(const char *const *argv, const struct child_input *input, size_t stdout_cap,
                          unsigned timeout_ms, struct buf *ret_stdout, int *ret_exit, struct err *err) MUST_CHECK;
/* Makes an anonymous file in memory that holds the bytes, positioned at its start; the caller closes it. `name` is for
 * messages. */
bool child_memory_file(const char *name, const void *bytes, size_t len, int *ret_fd, struct err *err) MUST_CHECK;

#endif
