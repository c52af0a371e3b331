/* SPDX-License-Identifier: Apache-2.0 */
/* What a bill says of what was taken, as a lock has it. */
#include "bill/lock_bill.h"

#include "bill/lock_parts.h"

/* Returns whether a generation is a later one of its repository than the first, and not the same one again. */
static bool is_later(const struct bill_source *source, const struct bill_repository *repository)
{
    for (size_t i = 0; i < source->repositories.count && repository->is_extra; i++) {
        const struct bill_repository *first = &source->repositories.items[i];
        if (!first->is_extra && text_same(first->place, repository->place) &&
            text_same(first->suite, repository->suite))
            return !digest_eq(&first->digest, &repository->digest);
    }
    return repository->is_extra;
}

static void add_indices(struct arena *arena, const struct bill_repository *repository, const char *arch,
                        struct lock *lock)
{
    for (size_t i = 0; i < repository->indices.count; i++) {
        const struct bill_index *from = &repository->indices.items[i];
        struct lock_index index = {.uri = repository->place,
                                   .suite = repository->suite,
                                   .arch = arch,
                                   .path = from->path,
                                   .checksum = from->checksum,
                                   .size_bytes = from->size_bytes};
        if (repository->is_extra)
            index.generation = repository->digest;
        lock_add_index(arena, lock, &index);
    }
}

void lock_add_bill_source(struct arena *arena, struct lock *lock, const struct bill_source *source, const char *arch)
{
    for (size_t i = 0; i < source->absent.count; i++) {
        const struct bill_absent *absent = &source->absent.items[i];
        lock_add_source(arena, lock, &(struct lock_source){.uri = absent->place, .suite = absent->suite, .from = ""});
    }
    for (size_t i = 0; i < source->repositories.count; i++) {
        const struct bill_repository *from = &source->repositories.items[i];
        if (!from->place || (from->is_extra && !is_later(source, from)))
            continue;
        lock_add_source(arena, lock,
                        &(struct lock_source){.uri = from->place,
                                              .suite = from->suite ? from->suite : "",
                                              .from = from->from ? from->from : "",
                                              .date = from->date,
                                              .digest = from->digest,
                                              .file = from->file,
                                              .signature = from->signature,
                                              .is_bare = from->is_bare,
                                              .is_extra = from->is_extra,
                                              .distribution = from->distribution,
                                              .version = from->version,
                                              .codename = from->codename,
                                              .is_stand_in = from->is_stand_in});
        if (!from->is_stand_in) /* what it lists is made of packages */
            add_indices(arena, from, arch, lock);
    }
}

static void add_data(struct arena *arena, const struct bill *bill, struct lock *lock)
{
    const struct inputs *inputs = &bill->inputs;
    lock_add_data(arena, lock, "recipes", &inputs->recipes);
    lock_add_data(arena, lock, "features", &inputs->features);
    lock_add_data(arena, lock, "families", &inputs->families);
    lock_add_data(arena, lock, "foreground", &inputs->foregrounds);
    lock_add_data(arena, lock, "interpreters", &inputs->interpreters);
    lock_add_data(arena, lock, arena_printf(arena, "arch %s", bill->facts.arch), &inputs->arch);
}

/* The URL that a lock has of a package: below the place that its generation came from. */
static const char *url_of(struct arena *arena, const struct bill_source *source, const struct bill_package *package)
{
    for (size_t i = 0; i < source->repositories.count; i++) {
        const struct bill_repository *from = &source->repositories.items[i];
        if (from->from && text_same(from->name, package->repository) &&
            text_has_prefix(text_of(package->url), from->uri))
            return arena_printf(arena, "%s%s", from->from, package->url + strlen(from->uri));
    }
    return package->url;
}

static const struct bill_repository *repository_of(const struct bill_source *source, const struct bill_package *package)
{
    for (size_t i = 0; i < source->repositories.count; i++) {
        if (text_same(source->repositories.items[i].name, package->repository))
            return &source->repositories.items[i];
    }
    return NULL;
}

static void add_taken(struct arena *arena, const struct bill *bill, const struct bill_source *source, struct lock *lock)
{
    const char *arch = bill->facts.arch, *image = bill->facts.name;
    for (size_t i = 0; i < bill->packages.count; i++) {
        const struct bill_package *from = &bill->packages.items[i];
        const struct bill_repository *repository = repository_of(source, from);
        struct lock_package package = {.arch = arch,
                                       .name = from->name,
                                       .version = from->version,
                                       .architecture = from->architecture,
                                       .url = url_of(arena, source, from),
                                       .size_bytes = from->size_bytes,
                                       .digest = from->digest,
                                       .suite = repository ? repository->suite : NULL};
        if (repository &&
            is_later(source, repository)) /* the generation that it was taken from, if that is a later one */
            package.generation = repository->digest;
        lock_add_package(arena, lock, &package, image);
    }
    for (size_t i = 0; i < bill->choices.count; i++) {
        const struct bill_choice *from = &bill->choices.items[i];
        struct lock_path path = {.arch = arch, .path = from->path, .package = from->package, .why = from->why};
        lock_add_path(arena, lock, &path, image);
    }
}

void lock_add_bill(struct arena *arena, struct lock *lock, const struct bill *bill, const struct bill_source *source,
                   const struct digest *manifest)
{
    struct lock_image image = {
        .image = bill->facts.name, .arch = bill->facts.arch, .manifest = *manifest, .named = bill->named};
    if (bill->base && bill->base->written) { /* one of the run is made by the lock, too */
        image.base = bill->base->written;
        image.base_digest = bill->base->digest;
    }
    list_add(arena, &lock->images, image);
    add_data(arena, bill, lock);
    add_taken(arena, bill, source, lock);
}

bool lock_of_bills(struct arena *arena, const struct bill *const *bills, size_t count, struct buf *text)
{
    struct lock lock = {.format = LOCK_FORMAT, .program = IMGFACTORY_VERSION};
    for (size_t i = 0; i < count; i++) {
        if (!bills[i]->source)
            return false;
        lock_add_bill(arena, &lock, bills[i], bills[i]->source, &bills[i]->inputs.manifest);
        lock_add_bill_source(arena, &lock, bills[i]->source, bills[i]->facts.arch);
    }
    lock_drop_unused(&lock);
    return lock_write(&lock, text);
}
