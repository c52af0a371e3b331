/* SPDX-License-Identifier: Apache-2.0 */
#include "line/locked.h"

#include "base/auto.h"
#include "io/store_prune.h"
#include "source/listed_file.h"

#include <stdlib.h>

#define TOLD_MAX 8 /* packages, or differences, that an error names */

/* Returns whether an origin is a later generation of its repository than the first one, and not the same one again. */
static bool is_later(const struct origins *origins, const struct origin *origin)
{
    for (size_t i = 0; i < origins->count && origin->pin.is_extra; i++) {
        const struct pin *pin = &origins->items[i].pin;
        if (!pin->is_extra && pin->uri && strcmp(pin->uri, origin->pin.uri) == 0 &&
            strcmp(pin->suite, origin->pin.suite) == 0)
            return !digest_eq(&pin->digest, &origin->pin.digest);
    }
    return origin->pin.is_extra;
}

/* `origin` is NULL for a repository that was left out. */
static void note_pin(struct arena *arena, const struct pin *pin, const struct origin *origin, struct lock *lock)
{
    struct lock_source source = {.uri = pin->uri,
                                 .suite = pin->suite,
                                 .from = pin->from ? pin->from : "",
                                 .date = pin->date,
                                 .digest = pin->digest,
                                 .file = pin->file,
                                 .is_bare = pin->is_bare,
                                 .is_extra = pin->is_extra};
    if (origin) {
        source.distribution = origin->distribution;
        source.version = origin->version;
        source.codename = origin->codename;
        source.is_stand_in = origin->is_stand_in;
    }
    if (pin->has_signature)
        source.signature = pin->signature;
    lock_add_source(arena, lock, &source);
}

static void note_origins(struct arena *arena, const struct job *job, struct lock *lock)
{
    const struct origins *origins = job->origins;
    for (size_t i = 0; i < origins->absent.count; i++)
        note_pin(arena, &origins->absent.items[i], NULL, lock);
    for (size_t i = 0; i < origins->count; i++) {
        const struct origin *origin = &origins->items[i];
        if (origin->pin.is_extra && !is_later(origins, origin))
            continue;
        note_pin(arena, &origin->pin, origin, lock);
        if (origin->is_stand_in) /* what it lists is made of packages */
            continue;
        for (size_t j = 0; j < origin->indices.count; j++) {
            const struct listed_file *file = &origin->indices.items[j];
            struct lock_index index = {.uri = origin->pin.uri,
                                       .suite = origin->pin.suite,
                                       .arch = job->arch->name,
                                       .path = file->path,
                                       .checksum = arena_strdup(arena, checksum_text(&file->checksum).chars),
                                       .size_bytes = file->is_size_known ? file->size_bytes : 0};
            if (origin->pin.is_extra)
                index.generation = origin->pin.digest;
            lock_add_index(arena, lock, &index);
        }
    }
}

static void note_data(struct arena *arena, const struct job *job, struct lock *lock)
{
    const struct inputs *inputs = &job->bill.inputs;
    lock_add_data(arena, lock, "recipes", &inputs->recipes);
    lock_add_data(arena, lock, "features", &inputs->features);
    lock_add_data(arena, lock, "families", &inputs->families);
    lock_add_data(arena, lock, "foreground", &inputs->foregrounds);
    lock_add_data(arena, lock, "interpreters", &inputs->interpreters);
    lock_add_data(arena, lock, arena_printf(arena, "arch %s", job->arch->name), &inputs->arch);
}

/* The URL that a lock has of a package: below the place that its generation came from. */
static const char *url_of(struct arena *arena, const struct job *job, const struct bill_package *package)
{
    for (size_t i = 0; i < job->origins->count; i++) {
        const struct origin *origin = &job->origins->items[i];
        const char *uri = source_public_uri(arena, origin->uri);
        if (origin->pin.from && text_same(origin->name, package->repository) &&
            text_has_prefix(text_of(package->url), uri))
            return arena_printf(arena, "%s%s", origin->pin.from, package->url + strlen(uri));
    }
    return package->url;
}

static const struct origin *origin_of(const struct job *job, const struct bill_package *package)
{
    for (size_t i = 0; i < job->origins->count; i++) {
        if (text_same(job->origins->items[i].name, package->repository))
            return &job->origins->items[i];
    }
    return NULL;
}

static void note_taken(struct arena *arena, const struct job *job, struct lock *lock)
{
    const struct bill *bill = &job->bill;
    const char *arch = job->arch->name, *image = job->manifest->name;
    for (size_t i = 0; i < bill->packages.count; i++) {
        const struct bill_package *from = &bill->packages.items[i];
        const struct origin *origin = origin_of(job, from);
        struct lock_package package = {.arch = arch,
                                       .name = from->name,
                                       .version = from->version,
                                       .architecture = from->architecture,
                                       .url = url_of(arena, job, from),
                                       .size_bytes = from->size_bytes,
                                       .digest = from->digest,
                                       .suite = origin ? origin->pin.suite : NULL};
        if (origin &&
            is_later(job->origins, origin)) /* the generation that it was taken from, if that is a later one */
            package.generation = origin->pin.digest;
        lock_add_package(arena, lock, &package, image);
    }
    for (size_t i = 0; i < bill->choices.count; i++) {
        const struct bill_choice *from = &bill->choices.items[i];
        struct lock_path path = {.arch = arch, .path = from->path, .package = from->package, .why = from->why};
        lock_add_path(arena, lock, &path, image);
    }
}

static void note_job(struct arena *arena, const struct job *job, struct lock *lock)
{
    struct lock_image image = {.image = job->manifest->name,
                               .arch = job->arch->name,
                               .manifest = job->manifest->digest,
                               .named = job->manifest->named};
    if (job->standing && !job->made_base) {
        image.base = job->manifest->base;
        image.base_digest = job->standing->base.digest;
    }
    lock->format = LOCK_FORMAT;
    lock->program = IMGFACTORY_VERSION;
    list_add(arena, &lock->images, image);
    note_data(arena, job, lock);
    note_taken(arena, job, lock);
}

void locked_of_batch(struct arena *arena, const struct batch *batch, struct lock *ret_lock)
{
    *ret_lock = (struct lock){.format = LOCK_FORMAT, .program = IMGFACTORY_VERSION};
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_image *image = &batch->images[i];
        for (size_t j = 0; j < image->arch_count; j++) {
            note_job(arena, &image->jobs[j], ret_lock);
            note_origins(arena, &image->jobs[j], ret_lock);
        }
    }
}

/* Sets the error of what is not as a lock says. */
static bool refuse(const struct job *job, struct arena *scratch, const struct strings *lines, struct err *err)
{
    struct strings told = {0};
    if (!lines->count)
        return true;
    for (size_t i = 0; i < lines->count && i < TOLD_MAX; i++)
        list_add(scratch, &told, text_printable(scratch, text_of(lines->items[i])));
    err_set(err, ERR_TRUST,
            "%s does not say what is so: %s%s (`imgfactory lock --check` shows what is new, `imgfactory lock` "
            "writes it)",
            job->plant->options->pins->place, strings_join(scratch, &told, "; "), lines->count > TOLD_MAX ? "; …" : "");
    return false;
}

bool locked_check_origins(const struct job *job, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct lock now = {0};
    struct strings lines;
    if (!job->plant->options->lock)
        return true;
    note_origins(&scratch, job, &now);
    lock_source_differences(&scratch, job->plant->options->lock, &now, &lines);
    return refuse(job, &scratch, &lines, err);
}

/* Finds a path that had to be guessed now, and was looked up when the lock was written: its index is gone. */
static const char *find_guess(const struct job *job, const struct lock *now)
{
    const struct lock_members *members = lock_members(job->plant->options->lock, job->manifest->name, job->arch->name);
    for (size_t i = 0; i < members->paths.count; i++) {
        const struct lock_path *locked = members->paths.items[i];
        for (size_t j = 0; j < now->paths.count && !lock_is_guess(locked); j++) {
            if (lock_is_guess(&now->paths.items[j]) && strcmp(now->paths.items[j].path, locked->path) == 0)
                return locked->path;
        }
    }
    return NULL;
}

/* After an error: what comes of a guess is no lie of the lock. */
static void blame_guess(const struct job *job, const struct lock *now, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *path = find_guess(job, now), *text = arena_strdup(&scratch, err->text);
    if (!path)
        return;
    err_clear(err);
    err_set(
        err, ERR_NETWORK,
        "the package of %s had to be guessed, since an index of paths is gone (`snapshot:` in the source file, or a "
        "folder of `imgfactory lock --vendor`, keeps it): %s",
        text_printable(&scratch, text_of(path)), text);
}

bool locked_check(const struct job *job, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct lock now = {0};
    struct strings lines;
    struct lock_part part = {.image = job->manifest->name, .arch = job->arch->name, .is_exact = true};
    for (size_t i = 0; i < job->origins->count; i++)
        part.is_blind = part.is_blind || job->origins->items[i].is_stand_in;
    if (!job->plant->options->lock)
        return true;
    note_job(&scratch, job, &now);
    lock_differences(&scratch, job->plant->options->lock, &now, part, &lines);
    if (refuse(job, &scratch, &lines, err))
        return true;
    blame_guess(job, &now, err);
    return false;
}

/* Names the packages that a lock takes of an image. */
static const char *name_packages(struct arena *arena, const struct job *job)
{
    const struct lock_members *members = lock_members(job->plant->options->lock, job->manifest->name, job->arch->name);
    struct strings names = {0};
    for (size_t i = 0; i < members->packages.count; i++) {
        const struct lock_package *package = members->packages.items[i];
        list_add(arena, &names,
                 text_printable(arena, text_of(arena_printf(arena, "%s %s", package->name, package->version))));
    }
    size_t count = names.count;
    names.count = count > TOLD_MAX ? TOLD_MAX : count;
    const char *joined = strings_join(arena, &names, ", ");
    return count > TOLD_MAX ? arena_printf(arena, "%s and %zu more", joined, count - TOLD_MAX) : joined;
}

void locked_explain(const struct job *job, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    bool is_gone = err->detail == PINS_GONE, is_absent = generations_is_race(err);
    if (!job->plant->options->lock)
        return;
    int detail = err->detail;
    const char *text = arena_strdup(&scratch, err->text);
    if (err->kind == ERR_RESOLVE) { /* what was locked could be installed */
        err_clear(err);
        err_set(err, ERR_TRUST, "%s does not say what is so: %s", job->plant->options->pins->place, text);
        return;
    }
    if (err->kind != ERR_NETWORK || (!is_gone && !is_absent))
        return;
    err_clear(err);
    if (is_gone)
        err_set(err, ERR_NETWORK, "%s; with it nothing vouches for %s", text, name_packages(&scratch, job));
    else
        err_set(err, ERR_NETWORK,
                "%s; %s takes it, and it is not in the cache (`snapshot:` in the source file, or a folder of "
                "`imgfactory lock "
                "--vendor`, keeps it)",
                text, job->plant->options->pins->place);
    err->detail = detail;
}

bool locked_hold(struct plant *plant, const struct lock *lock, const char *path, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(auto_free) char *whole = realpath(path, NULL);
    struct strings checksums, names = {0};
    lock_blobs(&scratch, lock, &checksums);
    for (size_t i = 0; i < checksums.count; i++) {
        struct checksum checksum;
        struct digest digest;
        bool is_found = lock_checksum(checksums.items[i], &checksum);
        if (is_found && checksum.kind == CHECKSUM_SHA256)
            digest = checksum_digest(&checksum);
        else if (is_found && !store_find_sha512(plant->store, &checksum, &digest, &is_found, err))
            return false;
        if (is_found)
            list_add(&scratch, &names, arena_strdup(&scratch, digest_hex(&digest).chars));
    }
    return !whole || store_hold(plant->store, whole, &names, err);
}
