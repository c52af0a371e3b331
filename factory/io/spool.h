/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h - bytes that are needed later but should not be in memory, in one temporary file without a name
 *
 * The file is in TMPDIR, else /var/tmp, else /tmp, else (none can be written to) in memory. What is dropped gives its
 * room back at once. At the end the bytes that are left are mapped; what was dropped in between costs no address space
 * worth mentioning.
 * Threads: a spool belongs to one thread.
 * Owns: the file and the mappings, until spool_done().
 * Fails with: ERR_LOCAL (no room, no address space).
 */
#ifndef IMGFACTORY_IO_SPOOL_H
#define IMGFACTORY_IO_SPOOL_H

#include "base/list.h"
#include "io/file.h"

struct broker;

/* A run of bytes of a spool. */
struct spooled {
    uint64_t offset, len;
    const char *bytes; /* after spool_map() */
};

/* Zero-initialise with .arena set, and .broker where the caller may open no file in these places itself (confine.h). */
struct spool {
    struct arena *arena;
    struct broker *broker;
    bool is_open;
    int fd;
    uint64_t last_begin, end; /* where the run that was begun last begins, and the next will */
    LIST(struct view) views;
};

/* Opens a temporary file without a name, in the places above. The caller closes *ret_fd. */
bool spool_open(int *ret_fd, struct err *err) MUST_CHECK;
/* Begins a run at the end. */
bool spool_begin(struct spool *spool, struct spooled *ret_run, struct err *err) MUST_CHECK;
/* Adds to the run that was begun last. */
bool spool_add(struct spool *spool, struct spooled *run, struct text bytes, struct err *err) MUST_CHECK;
/* Gives a run back. */
void spool_drop(struct spool *spool, struct spooled *run);
/* Maps these runs, which are in the order of their offsets, and sets their bytes. Once. */
bool spool_map(struct spool *spool, struct spooled *const *runs, size_t count, struct err *err) MUST_CHECK;
/* Unmaps and closes. Accepts a zeroed one. For AUTO(). */
void spool_done(struct spool *spool);

#endif
