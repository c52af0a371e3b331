/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

/* Eight bytes at a time; the upper half of each product is folded into the lower one, of which those bits are that choose a
 * bucket. Nothing outside depends on the value. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    uint64_t product = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return product ^ product >> 32;
}

static uint64_t hash_of(struct text key)
{
    uint64_t hash = 0xCBF29CE484222325u ^ key.len, word;
    for (; key.len >= sizeof word; key.ptr += sizeof word, key.len -= sizeof word) {
        memcpy(&word, key.ptr, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    if (key.len)
        memcpy(&word, key.ptr, key.len);
    return mix(hash, word);
}

static uint32_t *find_bucket(const struct map *map, struct text key, uint64_t hash)
{
    size_t mask = map->bucket_count - 1;
    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t *bucket = &map->buckets[at];
        if (!*bucket)
            return bucket;
        const struct map_slot *slot = &map->slots.items[*bucket - 1];
        if (slot->hash == hash && text_eq(slot->key, key))
            return bucket;
    }
}

static void grow(struct map *map)
{
    map->bucket_count = map->bucket_count ? map->bucket_count * 2 : 64;
    map->buckets = arena_new_array(map->arena, uint32_t, map->bucket_count);
    for (size_t i = 0; i < map->slots.count; i++)
        *find_bucket(map, map->slots.items[i].key, map->slots.items[i].hash) = (uint32_t)i + 1;
}

void *map_get(const struct map *map, struct text key)
{
    if (!map->bucket_count)
        return NULL;
    uint32_t slot = *find_bucket(map, key, hash_of(key));
    return slot ? map->slots.items[slot - 1].value : NULL;
}

bool map_add(struct map *map, struct text key, void *value)
{
    if (map->slots.count * 2 >= map->bucket_count)
        grow(map);
    uint64_t hash = hash_of(key);
    uint32_t *bucket = find_bucket(map, key, hash);
    if (*bucket)
        return false;
    list_add(map->arena, &map->slots, (struct map_slot){key, value, hash});
    *bucket = (uint32_t)map->slots.count;
    return true;
}

void map_set(struct map *map, struct text key, void *value)
{
    if (!map_add(map, key, value))
        map->slots.items[*find_bucket(map, key, hash_of(key)) - 1].value = value;
}
