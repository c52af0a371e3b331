/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - hash map from text to a pointer, in an arena
 *
 * Keys are borrowed: they must live as long as the map. Insertion order is kept in `slots`, so walking is
 * deterministic.
 * Threads: one thread writes; once frozen, any number may read.
 */
#ifndef IMGFACTORY_BASE_MAP_H
#define IMGFACTORY_BASE_MAP_H

#include "base/text.h"

struct map_slot {
    struct text key;
    void *value;
    uint64_t hash;
};

/* Zero-initialise with .arena set. `slots.items[0..count)` are the pairs in insertion order. */
struct map {
    struct arena *arena;
    LIST(struct map_slot) slots;
    uint32_t *buckets; /* index into slots plus 1; 0 = free */
    size_t bucket_count;
};

/* Finds a key; NULL when absent (or when NULL was stored). */
void *map_get(const struct map *map, struct text key);
/* Adds a key that is absent and returns true, or leaves the map alone and returns false. */
bool map_add(struct map *map, struct text key, void *value);
/* Adds or replaces. */
void map_set(struct map *map, struct text key, void *value);

#endif
