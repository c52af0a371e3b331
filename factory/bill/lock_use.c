/* SPDX-License-Identifier: Apache-2.0 */
/* What a run takes by a lock. */
#include "bill/lock_parts.h"

#include "base/auto.h"
#include "base/checksum.h"

typedef LIST(struct pin_name) pin_names;

/* Lists what is not taken of a repository's first generation: what has moved, and what is about to. */
static pin_names list_moved(struct arena *arena, const struct lock *lock, const struct strings *moving)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf room = {0};
    buf_init(&room, SIZE_MAX / 2);
    struct map staying = {.arena = &scratch}, moved = {.arena = &scratch};
    pin_names names = {0};
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        bool is_staying = lock_is_zero(&package->generation) && !(moving && strings_has(moving, package->name));
        struct text key = lock_key(&room, package->arch, package->name);
        struct map *map = is_staying ? &staying : &moved;
        if (!map_get(map, key))
            (void)map_add(map, (struct text){text_dup(&scratch, key), key.len}, (void *)package);
    }
    for (size_t i = 0; i < moved.slots.count; i++) {
        const struct lock_package *package = moved.slots.items[i].value;
        struct pin_name name = {package->arch, package->name};
        if (!map_get(&staying, moved.slots.items[i].key))
            list_add(arena, &names, name);
    }
    return names;
}

/* Lists what is taken of a later generation. */
static void name_extra(struct arena *arena, const struct lock *lock, const struct strings *moving, struct pin *pin)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        const struct lock_package *package = &lock->packages.items[i];
        struct pin_name name = {package->arch, package->name};
        if (digest_eq(&package->generation, &pin->digest) && !(moving && strings_has(moving, package->name)))
            list_add(arena, &pin->names, name);
    }
}

static struct pin pin_of(const struct lock_source *source)
{
    return (struct pin){.uri = source->uri,
                        .suite = source->suite,
                        .from = source->from,
                        .date = source->date,
                        .digest = source->digest,
                        .file = source->file,
                        .signature = source->signature,
                        .has_signature = !lock_is_zero(&source->signature),
                        .is_bare = source->is_bare,
                        .is_left_out = lock_is_zero(&source->file),
                        .is_extra = source->is_extra,
                        .distribution = source->distribution,
                        .version = source->version,
                        .codename = source->codename};
}

static struct pin_package package_of(const struct lock_package *package)
{
    return (struct pin_package){.arch = package->arch,
                                .name = package->name,
                                .version = package->version,
                                .architecture = package->architecture,
                                .suite = package->suite,
                                .url = package->url,
                                .size_bytes = package->size_bytes,
                                .digest = package->digest,
                                .generation = package->generation};
}

struct pins lock_pins(struct arena *arena, const struct lock *lock, const char *place, const struct strings *moving,
                      bool is_exact)
{
    struct pins pins = {.place = place, .is_exact = is_exact, .has_newest = moving != NULL};
    pin_names moved = list_moved(arena, lock, moving);
    for (size_t i = 0; i < lock->sources.count; i++) {
        struct pin pin = pin_of(&lock->sources.items[i]);
        if (pin.is_extra) {
            name_extra(arena, lock, moving, &pin);
        } else {
            pin.names.items = moved.items;
            pin.names.count = moved.count; /* one list of all of them */
        }
        pin_sort_names(&pin);
        list_add(arena, &pins.items, pin);
    }
    for (size_t i = 0; is_exact && i < lock->packages.count; i++)
        list_add(arena, &pins.packages, package_of(&lock->packages.items[i]));
    for (size_t i = 0; i < lock->images.count; i++) {
        struct pin_base base = {lock->images.items[i].base, lock->images.items[i].base_digest};
        if (base.name)
            list_add(arena, &pins.bases, base);
    }
    return pins;
}

static void add_digest(struct arena *arena, const struct digest *digest, struct strings *checksums)
{
    if (!lock_is_zero(digest))
        list_add(arena, checksums, arena_printf(arena, "sha256:%s", digest_hex(digest).chars));
}

void lock_blobs(struct arena *arena, const struct lock *lock, struct strings *ret_checksums)
{
    *ret_checksums = (struct strings){0};
    for (size_t i = 0; i < lock->sources.count; i++) {
        add_digest(arena, &lock->sources.items[i].file, ret_checksums);
        add_digest(arena, &lock->sources.items[i].signature, ret_checksums);
    }
    for (size_t i = 0; i < lock->indices.count; i++)
        list_add(arena, ret_checksums, lock->indices.items[i].checksum);
    for (size_t i = 0; i < lock->packages.count; i++)
        add_digest(arena, &lock->packages.items[i].digest, ret_checksums);
}

bool lock_checksum(const char *text, struct checksum *ret_checksum)
{
    const char *colon = strchr(text, ':');
    enum checksum_kind kind;
    return colon && checksum_find_kind((struct text){text, (size_t)(colon - text)}, &kind) &&
           checksum_parse(kind, text_of(colon + 1), ret_checksum);
}
