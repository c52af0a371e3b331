/* SPDX-License-Identifier: Apache-2.0 */
#include "line/locked.h"

#include "base/auto.h"
#include "bill/lock_bill.h"
#include "io/store_prune.h"

#include <stdlib.h>

#define TOLD_MAX 8 /* packages, or differences, that an error names */

static void note_origins(struct arena *arena, const struct job *job, struct lock *lock)
{
    lock_add_bill_source(arena, lock, bill_source_of(arena, job->origins), job->arch->name);
}

static void note_job(struct arena *arena, const struct job *job, struct lock *lock)
{
    lock->format = LOCK_FORMAT;
    lock->program = IMGFACTORY_VERSION;
    lock_add_bill(arena, lock, &job->bill, bill_source_of(arena, job->origins), &job->manifest->digest);
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

/* What makes a package that package. */
static struct text package_key(struct arena *arena, const char *name, const char *version, const struct digest *digest)
{
    return text_of(arena_printf(arena, "%s %s %s", name, version, digest_hex(digest).chars));
}

bool locked_check_bill(const struct job *job, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct lock *lock = job->plant->options->lock;
    const struct bill *bill = &job->bill;
    struct map locked = {.arena = &scratch};
    if (!lock)
        return true;
    const struct lock_image *image = lock_find_image(lock, job->manifest->name, job->arch->name);
    const struct lock_members *members = lock_members(lock, job->manifest->name, job->arch->name);
    bool is_same = image && digest_eq(&image->manifest, &job->manifest->digest) &&
                   (!image->base || (bill->base && digest_eq(&image->base_digest, &bill->base->digest))) &&
                   members->packages.count == bill->packages.count;
    for (size_t i = 0; is_same && i < members->packages.count; i++) {
        const struct lock_package *package = members->packages.items[i];
        map_add(&locked, package_key(&scratch, package->name, package->version, &package->digest), &locked);
    }
    for (size_t i = 0; is_same && i < bill->packages.count; i++) {
        const struct bill_package *package = &bill->packages.items[i];
        struct text key = package_key(&scratch, package->name, package->version, &package->digest);
        is_same = map_get(&locked, key) != NULL;
        map_set(&locked, key, NULL); /* each once, so that none is left out for another one */
    }
    if (!is_same)
        err_set(err, ERR_TRUST, "its bill has another manifest, base or packages than %s says",
                job->plant->options->pins->place);
    return is_same;
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
