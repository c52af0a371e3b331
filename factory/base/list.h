/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - typed growing arrays in an arena
 *
 * LIST(type) declares { type *items; size_t count, capacity; }. Zero-initialise to use. Growing copies the items, so a
 * pointer to an item is good only until the next list_add().
 * Threads: a list belongs to one thread until it is frozen (no longer added to).
 */
#ifndef IMGFACTORY_BASE_LIST_H
#define IMGFACTORY_BASE_LIST_H

#include "base/arena.h"

#include <string.h>

#define LIST(type)                                                                                                     \
    struct {                                                                                                           \
        type *items;                                                                                                   \
        size_t count, capacity;                                                                                        \
    }

/* A list of NUL-terminated strings, the one that crosses module borders. */
struct strings {
    const char **items;
    size_t count, capacity;
};

/* Appends `value` (any expression of the item type). */
#define list_add(arena, list, ...)                                                                                     \
    do {                                                                                                               \
        if ((list)->count == (list)->capacity) {                                                                       \
            size_t bigger_ = (list)->capacity ? (list)->capacity * 2 : 8;                                              \
            void *grown_ = arena_alloc_array((arena), bigger_, sizeof *(list)->items);                                 \
            if ((list)->count)                                                                                         \
                memcpy(grown_, (list)->items, (list)->count * sizeof *(list)->items);                                  \
            (list)->items = grown_;                                                                                    \
            (list)->capacity = bigger_;                                                                                \
        }                                                                                                              \
        (list)->items[(list)->count++] = (__VA_ARGS__);                                                                \
    } while (0)

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Returns whether `strings` has an item equal to `wanted`. */
static inline bool strings_has(const struct strings *strings, const char *wanted)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (strcmp(strings->items[i], wanted) == 0)
            return true;
    }
    return false;
}

#endif
