/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/err.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)32 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t used, capacity;
    alignas(max_align_t) unsigned char bytes[];
};

_Noreturn void memory_abort(size_t bytes)
{
    (void)fprintf(stderr, "imgfactory: error: out of memory (%zu bytes wanted)\n", bytes);
    _exit(ERR_LOCAL);
}

/* A block larger than usual goes behind the current one, so that its free rest stays in use. */
static struct arena_block *block_add(struct arena *arena, size_t bytes)
{
    size_t capacity = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof *block + capacity);
    if (!block)
        memory_abort(bytes);
    block->capacity = capacity;
    if (arena->block && capacity != BLOCK_BYTES) {
        block->next = arena->block->next;
        arena->block->next = block;
    } else {
        block->next = arena->block;
        arena->block = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        memory_abort(bytes);
    size_t step = alignof(max_align_t);
    bytes = bytes ? (bytes + step - 1) / step * step : step;
    struct arena_block *block = arena->block;
    if (!block || block->capacity - block->used < bytes)
        block = block_add(arena, bytes);
    void *result = block->bytes + block->used;
    block->used += bytes;
    arena->used_bytes += bytes;
    return result;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t each)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, each, &bytes))
        memory_abort(SIZE_MAX);
    return arena_alloc(arena, bytes);
}

char *arena_strdup(struct arena *arena, const char *string)
{
    return string ? arena_strndup(arena, string, strlen(string)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *bytes, size_t len)
{
    char *copy = arena_alloc(arena, len + 1);
    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        memory_abort(0);
    char *result = arena_alloc(arena, (size_t)len + 1);
    (void)vsnprintf(result, (size_t)len + 1, format, again);
    va_end(again);
    return result;
}

void arena_done(struct arena *arena)
{
    struct arena_block *block = arena->block;
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct arena){0};
}
