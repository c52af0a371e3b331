/* SPDX-License-Identifier: Apache-2.0 */
/* auto.h - resources that clean themselves up at the end of their scope
 *
 * AUTO(thing_done) on a declaration calls thing_done(&variable) when the scope ends; take_fd() and TAKE_PTR() hand the
 * resource over to the caller, so that nothing is closed twice.
 * Threads: no state.
 */
#ifndef IMGFACTORY_BASE_AUTO_H
#define IMGFACTORY_BASE_AUTO_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(done) __attribute__((cleanup(done)))

/* Closes the descriptor that `fd` points at unless it is negative. For AUTO(). */
static inline void auto_close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* Frees the malloc'd block that `ptr` points at. For AUTO() on `char *` and the like. */
static inline void auto_free(void *ptr)
{
    free(*(void **)ptr);
}

/* Closes the stream that `file` points at unless it is NULL. For AUTO(). */
static inline void auto_close_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

/* Returns the descriptor and leaves -1 behind, so that AUTO(auto_close_fd) does not close it. */
static inline int take_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

/* Yields the pointer and leaves NULL behind. */
#define TAKE_PTR(ptr)                                                                                                  \
    ({                                                                                                                 \
        __typeof__(ptr) taken_ = (ptr);                                                                                \
        (ptr) = NULL;                                                                                                  \
        taken_;                                                                                                        \
    })

#endif
