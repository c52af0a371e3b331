/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - plain memory by unit of work: allocate forward, free all at once
 *
 * Every struct that outlives a function lives in an arena that the caller gives. There is no single free.
 * Threads: an arena belongs to one thread at a time.
 * Owns: its blocks, until arena_done().
 * Fails with: nothing; running out of memory aborts the process here, in one place.
 */
#ifndef IMGFACTORY_BASE_ARENA_H
#define IMGFACTORY_BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>

struct arena_block;
/* Zero-initialise to use. `used_bytes` counts what was handed out. */
struct arena {
    struct arena_block *block;
    size_t used_bytes;
};

/* Allocates `bytes` zeroed bytes aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t bytes) __attribute__((returns_nonnull, malloc));

/* Allocates `count` elements of `each` bytes, zeroed; aborts when the product overflows. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t each) __attribute__((returns_nonnull, malloc));

/* Copies a NUL-terminated string. NULL gives NULL. */
char *arena_strdup(struct arena *arena, const char *string);

/* Copies `len` bytes and adds a NUL. */
char *arena_strndup(struct arena *arena, const char *bytes, size_t len) __attribute__((returns_nonnull));

/* Formats into the arena. */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) __attribute__((returns_nonnull));

/* Frees everything at once and leaves a fresh arena. For AUTO(). */
void arena_done(struct arena *arena);

/* Ends the process at once with a message and the exit class ERR_LOCAL: out of memory, or a size that cannot exist.
 * As after SIGKILL, nothing half-written is left under a final name. */
_Noreturn void memory_abort(size_t bytes);

#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_new_array(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
