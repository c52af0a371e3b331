/* SPDX-License-Identifier: Apache-2.0 */
/* How two locks differ, and what moved from one to the other. */
#include "bill/lock_parts.h"

#include "base/auto.h"
#include "source/choose.h"

#include <inttypes.h>

/* One comparison; all lines go into `lines`. */
struct comparing {
    struct arena *arena;
    const struct lock *locked, *now; /* sorted out, where images are compared */
    struct lock_part part;
    struct strings *lines;
    bool is_exact; /* what packages are taken by counts, too */
};

static bool is_asked(const struct comparing *comparing, const char *arch)
{
    return !comparing->part.arch || strcmp(comparing->part.arch, arch) == 0;
}

static void compare_data(const struct comparing *comparing)
{
    static const char of_arch[] = "arch ";
    for (size_t i = 0; i < comparing->now->data.count; i++) {
        const struct lock_data *now = &comparing->now->data.items[i], *locked = NULL;
        bool is_of_arch = text_has_prefix(text_of(now->name), of_arch);
        if (is_of_arch && !is_asked(comparing, now->name + strlen(of_arch)))
            continue;
        for (size_t j = 0; j < comparing->locked->data.count && !locked; j++) {
            const struct lock_data *other = &comparing->locked->data.items[j];
            locked = strcmp(other->name, now->name) == 0 ? other : NULL;
        }
        if (!locked || !digest_eq(&locked->digest, &now->digest))
            list_add(comparing->arena, comparing->lines,
                     arena_printf(comparing->arena, "%s: sha256:%s is sha256:%s", now->name,
                                  locked ? digest_hex(&locked->digest).chars : "(none)",
                                  digest_hex(&now->digest).chars));
    }
}

/* Tells of one value that differs; `what` begins with the image. */
static void tell(const struct comparing *comparing, const struct lock_image *image, const char *what,
                 const char *locked, const char *now)
{
    if (text_same(locked, now))
        return;
    list_add(comparing->arena, comparing->lines,
             arena_printf(comparing->arena, "%s for %s: %s %s is %s", image->image, image->arch, what,
                          locked ? locked : "(none)", now ? now : "(none)"));
}

static void tell_digests(const struct comparing *comparing, const struct lock_image *image, const char *what,
                         const struct digest *locked, const struct digest *now)
{
    tell(comparing, image, what, arena_printf(comparing->arena, "sha256:%s", digest_hex(locked).chars),
         arena_printf(comparing->arena, "sha256:%s", digest_hex(now).chars));
}

/* What an image has, by name and architecture. */
static struct map list_packages(struct arena *arena, const struct lock *lock, const struct lock_image *image)
{
    AUTO(buf_done) struct buf room = {0};
    buf_init(&room, SIZE_MAX / 2);
    struct map packages = {.arena = arena};
    const struct lock_members *members = lock_members(lock, image->image, image->arch);
    for (size_t i = 0; i < members->packages.count; i++) {
        const struct lock_package *package = members->packages.items[i];
        struct text key = lock_key(&room, package->name, package->architecture);
        if (!map_get(&packages, key))
            (void)map_add(&packages, (struct text){text_dup(arena, key), key.len}, (void *)package);
    }
    return packages;
}

/* Of a package that moved alone it is told by which generation of its repository it may be taken; not of one that has none. */
static void tell_generations(const struct comparing *comparing, const struct lock_image *image, const char *what,
                             const struct digest *locked, const struct digest *now)
{
    if (comparing->is_exact)
        tell_digests(comparing, image, arena_printf(comparing->arena, "%s generation", what), locked, now);
}

static void compare_package(const struct comparing *comparing, const struct lock_image *image,
                            const struct lock_package *locked, const struct lock_package *now)
{
    const struct lock_package *either = locked ? locked : now;
    struct arena *arena = comparing->arena;
    const char *name = arena_printf(arena, "package %s", either->name);
    tell(comparing, image, name, locked ? locked->version : NULL, now ? now->version : NULL);
    if (!locked || !now || strcmp(locked->version, now->version) != 0)
        return;
    name = arena_printf(arena, "package %s %s:", either->name, either->version);
    tell_generations(comparing, image, name, &locked->generation, &now->generation);
    if (locked->suite && comparing->is_exact)
        tell(comparing, image, arena_printf(arena, "%s suite", name), locked->suite, now->suite);
    tell(comparing, image, name, locked->url, now->url);
    tell_digests(comparing, image, name, &locked->digest, &now->digest);
    tell(comparing, image, name, arena_printf(arena, "%" PRIu64 " bytes", locked->size_bytes),
         arena_printf(arena, "%" PRIu64 " bytes", now->size_bytes));
}

/* A second package of one name and architecture is none that an image can have. */
static void compare_packages(const struct comparing *comparing, const struct lock_image *image)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map locked = list_packages(&scratch, comparing->locked, image),
               now = list_packages(&scratch, comparing->now, image);
    size_t count = lock_members(comparing->locked, image->image, image->arch)->packages.count;
    for (size_t i = 0; i < locked.slots.count; i++) {
        const struct map_slot *slot = &locked.slots.items[i];
        compare_package(comparing, image, slot->value, map_get(&now, slot->key));
    }
    for (size_t i = 0; i < now.slots.count; i++) {
        if (!map_get(&locked, now.slots.items[i].key))
            compare_package(comparing, image, NULL, now.slots.items[i].value);
    }
    if (count != locked.slots.count)
        list_add(comparing->arena, comparing->lines,
                 arena_printf(comparing->arena, "%s for %s: it has a package twice", image->image, image->arch));
}

bool lock_is_guess(const struct lock_path *path)
{
    return path && text_has_suffix(text_of(path->why), CHOICE_BLIND);
}

static struct map list_paths(struct arena *arena, const struct lock *lock, const struct lock_image *image)
{
    struct map paths = {.arena = arena};
    const struct lock_members *members = lock_members(lock, image->image, image->arch);
    for (size_t i = 0; i < members->paths.count; i++)
        (void)map_add(&paths, text_of(members->paths.items[i]->path), (void *)members->paths.items[i]);
    return paths;
}

/* Compares what was taken for a path; either may be NULL, not both. Where one of them alone was guessed, the index of paths was not to be had
 * then, or is not now: the reasons differ by that, and who has the index notes no libraries. */
static void compare_path(const struct comparing *comparing, const struct lock_image *image,
                         const struct lock_path *locked, const struct lock_path *now)
{
    struct arena *arena = comparing->arena;
    const struct lock_path *paths[] = {locked, now}, *named = locked ? locked : now;
    const char *said[] = {NULL, NULL};
    bool is_guessed = comparing->is_exact && lock_is_guess(locked) != lock_is_guess(now);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        bool is_why_known = !is_guessed && !comparing->part.is_blind;
        if (paths[i])
            said[i] =
                is_why_known ? arena_printf(arena, "of %s (%s)", paths[i]->package, paths[i]->why) : paths[i]->package;
    }
    if (named && (!is_guessed || (locked && now)))
        tell(comparing, image, named->path, said[0], said[1]);
}

static void compare_paths(const struct comparing *comparing, const struct lock_image *image)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map locked = list_paths(&scratch, comparing->locked, image),
               now = list_paths(&scratch, comparing->now, image);
    for (size_t i = 0; i < locked.slots.count; i++)
        compare_path(comparing, image, locked.slots.items[i].value, map_get(&now, locked.slots.items[i].key));
    for (size_t i = 0; i < now.slots.count; i++) {
        if (!map_get(&locked, now.slots.items[i].key))
            compare_path(comparing, image, NULL, now.slots.items[i].value);
    }
}

/* What a name meant; not why so, where others that ship the program are not known. */
static const char *name_of(const struct comparing *comparing, const char *named)
{
    const char *why = named && comparing->part.is_blind ? strstr(named, " (") : NULL;
    return why ? arena_strndup(comparing->arena, named, (size_t)(why - named)) : named;
}

static void compare_image(const struct comparing *comparing, const struct lock_image *locked,
                          const struct lock_image *now)
{
    tell_digests(comparing, now, "manifest", &locked->manifest, &now->manifest);
    tell(comparing, now, "base", locked->base, now->base);
    tell_digests(comparing, now, "base", &locked->base_digest, &now->base_digest);
    tell(comparing, now, "name", name_of(comparing, locked->named), name_of(comparing, now->named));
    compare_paths(comparing, now);
    compare_packages(comparing, now);
}

void lock_differences(struct arena *arena, const struct lock *locked, const struct lock *now, struct lock_part part,
                      struct strings *ret_lines)
{
    struct lock sorted[] = {*locked, *now};
    for (size_t i = 0; i < ARRAY_COUNT(sorted); i++) {
        if (!sorted[i].members.arena)
            lock_sort_out(arena, &sorted[i]);
    }
    struct comparing comparing = {arena, &sorted[0], &sorted[1], part, ret_lines, part.is_exact};
    *ret_lines = (struct strings){0};
    compare_data(&comparing);
    for (size_t i = 0; i < now->images.count; i++) {
        const struct lock_image *image = &now->images.items[i];
        if (!is_asked(&comparing, image->arch) || (part.image && strcmp(part.image, image->image) != 0))
            continue;
        const struct lock_image *other = lock_find_image(locked, image->image, image->arch);
        if (other)
            compare_image(&comparing, other, image);
        else
            list_add(arena, ret_lines, arena_printf(arena, "%s for %s: it is not in it", image->image, image->arch));
    }
    for (size_t i = 0; i < locked->images.count && !part.image && !part.is_some; i++) {
        const struct lock_image *image = &locked->images.items[i];
        if (!lock_find_image(now, image->image, image->arch))
            list_add(arena, ret_lines,
                     arena_printf(arena, "%s for %s: it is not made any more", image->image, image->arch));
    }
}

static const struct lock_source *find_source(const struct lock *lock, const struct lock_source *wanted)
{
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        if (source->is_extra == wanted->is_extra && strcmp(source->uri, wanted->uri) == 0 &&
            strcmp(source->suite, wanted->suite) == 0 &&
            (!wanted->is_extra || digest_eq(&source->digest, &wanted->digest)))
            return source;
    }
    return NULL;
}

static bool is_same_source(const struct lock_source *a, const struct lock_source *b)
{
    return strcmp(a->from, b->from) == 0 && a->date == b->date && digest_eq(&a->digest, &b->digest) &&
           digest_eq(&a->file, &b->file) && digest_eq(&a->signature, &b->signature) && a->is_bare == b->is_bare;
}

/* What it calls itself; a lock of the first format does not say it. */
static bool is_same_name(const struct lock *locked, const struct lock_source *a, const struct lock_source *b)
{
    return locked->format < 2 || (text_same(a->distribution, b->distribution) && text_same(a->version, b->version) &&
                                  text_same(a->codename, b->codename));
}

/* The key of a listed file. */
static struct text index_key(struct arena *arena, const struct lock_index *index)
{
    return text_of(arena_printf(arena, "%s\n%s\n%s\n%s\n%s", index->uri, index->suite, index->arch, index->path,
                                digest_hex(&index->generation).chars));
}

static struct map list_indices(struct arena *arena, const struct lock *lock)
{
    struct map indices = {.arena = arena};
    for (size_t i = 0; i < lock->indices.count; i++)
        (void)map_add(&indices, index_key(arena, &lock->indices.items[i]), (void *)&lock->indices.items[i]);
    return indices;
}

/* Notes which generations and architectures a lock has anything of. */
static struct map list_scope(struct arena *arena, const struct lock *lock)
{
    struct map scope = {.arena = arena};
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        static const struct digest none;
        if (source->is_stand_in)
            continue;
        const struct digest *generation = source->is_extra ? &source->digest : &none;
        (void)map_add(
            &scope,
            text_of(arena_printf(arena, "%s\n%s\n%s", source->uri, source->suite, digest_hex(generation).chars)),
            (void *)source);
    }
    for (size_t i = 0; i < lock->indices.count; i++)
        (void)map_add(&scope, text_of(lock->indices.items[i].arch), (void *)lock);
    return scope;
}

static void compare_indices(const struct comparing *comparing)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct arena *arena = comparing->arena;
    struct map locked = list_indices(&scratch, comparing->locked), now = list_indices(&scratch, comparing->now);
    struct map scope = list_scope(&scratch, comparing->now);
    for (size_t i = 0; i < now.slots.count; i++) {
        const struct lock_index *index = now.slots.items[i].value, *other = map_get(&locked, now.slots.items[i].key);
        if (!other || strcmp(other->checksum, index->checksum) != 0 || other->size_bytes != index->size_bytes)
            list_add(arena, comparing->lines,
                     arena_printf(arena, "%s of %s of %s: %s (%" PRIu64 " bytes) is %s (%" PRIu64 " bytes)",
                                  index->path, index->suite, index->uri, other ? other->checksum : "(none)",
                                  other ? other->size_bytes : 0, index->checksum, index->size_bytes));
    }
    for (size_t i = 0; i < locked.slots.count; i++) {
        const struct lock_index *index = locked.slots.items[i].value;
        struct text source = text_of(
            arena_printf(&scratch, "%s\n%s\n%s", index->uri, index->suite, digest_hex(&index->generation).chars));
        if (map_get(&scope, source) && map_get(&scope, text_of(index->arch)) &&
            !map_get(&now, locked.slots.items[i].key))
            list_add(arena, comparing->lines,
                     arena_printf(arena, "%s of %s of %s: %s is (none)", index->path, index->suite, index->uri,
                                  index->checksum));
    }
}

void lock_source_differences(struct arena *arena, const struct lock *locked, const struct lock *now,
                             struct strings *ret_lines)
{
    struct comparing comparing = {.arena = arena, .locked = locked, .now = now, .lines = ret_lines};
    *ret_lines = (struct strings){0};
    for (size_t i = 0; i < now->sources.count; i++) {
        const struct lock_source *source = &now->sources.items[i], *other = find_source(locked, source);
        if (!other || !is_same_source(other, source) || !is_same_name(locked, other, source))
            list_add(
                arena, ret_lines,
                arena_printf(arena, "%s of %s: what it says of its signed file is not so", source->suite, source->uri));
    }
    compare_indices(&comparing);
}

/* ---- moving ---- */

static struct text package_key(struct arena *arena, const struct lock_package *package)
{
    return text_of(arena_printf(arena, "%s\n%s\n%s\n%s\n%" PRIu64 "\n%s", package->name, package->arch,
                                package->version, package->architecture, package->size_bytes,
                                digest_hex(&package->digest).chars));
}

static struct map list_all(struct arena *arena, const struct lock *lock)
{
    struct map packages = {.arena = arena};
    for (size_t i = 0; i < lock->packages.count; i++)
        (void)map_add(&packages, package_key(arena, &lock->packages.items[i]), (void *)&lock->packages.items[i]);
    return packages;
}

/* Notes the names of what only `from` has. */
static void add_moved(const struct map *from, const struct map *to, struct map *names)
{
    for (size_t i = 0; i < from->slots.count; i++) {
        const struct lock_package *package = from->slots.items[i].value;
        if (!map_get(to, from->slots.items[i].key))
            (void)map_add(names, text_of(package->name), (void *)package);
    }
}

void lock_moved(struct arena *arena, const struct lock *locked, const struct lock *now, struct strings *ret_names)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map before = list_all(&scratch, locked), after = list_all(&scratch, now);
    struct map names = {.arena = &scratch};
    *ret_names = (struct strings){0};
    add_moved(&before, &after, &names);
    add_moved(&after, &before, &names);
    for (size_t i = 0; i < names.slots.count; i++)
        list_add(arena, ret_names, ((const struct lock_package *)names.slots.items[i].value)->name);
    lock_sort_names(ret_names);
}

void lock_settle(struct lock *lock, const struct lock *former)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map before = list_all(&scratch, former);
    for (size_t i = 0; i < lock->packages.count; i++) {
        struct lock_package *package = &lock->packages.items[i];
        const struct lock_package *same = map_get(&before, package_key(&scratch, package));
        if (!same)
            continue;
        package->generation = same->generation;
        package->url = same->url;
        package->suite = same->suite ? same->suite : package->suite;
    }
}

void lock_drop_unused(struct lock *lock)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map wanted = {.arena = &scratch};
    size_t kept = 0;
    for (size_t i = 0; i < lock->packages.count; i++)
        (void)map_add(&wanted, text_of(arena_strdup(&scratch, digest_hex(&lock->packages.items[i].generation).chars)),
                      lock);
    for (size_t i = 0; i < lock->sources.count; i++) {
        const struct lock_source *source = &lock->sources.items[i];
        struct digest_hex hex = digest_hex(&source->digest);
        if (!source->is_extra || map_get(&wanted, text_of(hex.chars)))
            lock->sources.items[kept++] = *source;
    }
    lock->sources.count = kept;
    kept = 0;
    for (size_t i = 0; i < lock->indices.count; i++) {
        const struct lock_index *index = &lock->indices.items[i];
        struct digest_hex hex = digest_hex(&index->generation);
        if (lock_is_zero(&index->generation) || map_get(&wanted, text_of(hex.chars)))
            lock->indices.items[kept++] = *index;
    }
    lock->indices.count = kept;
}

void lock_other_images(struct arena *arena, const struct lock *locked, const struct lock *now,
                       struct strings *ret_names)
{
    *ret_names = (struct strings){0};
    for (size_t i = 0; i < locked->images.count; i++) {
        const struct lock_image *image = &locked->images.items[i];
        if (!lock_find_image(now, image->image, image->arch) && !strings_has(ret_names, image->image))
            list_add(arena, ret_names, image->image);
    }
}

bool lock_has_package(const struct lock *lock, const char *name)
{
    for (size_t i = 0; i < lock->packages.count; i++) {
        if (strcmp(lock->packages.items[i].name, name) == 0)
            return true;
    }
    return false;
}
