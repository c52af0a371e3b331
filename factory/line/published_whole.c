/* SPDX-License-Identifier: Apache-2.0 */
#include "line/published_whole.h"

#include "base/auto.h"
#include "base/map.h"
#include "change/side.h"
#include "past/past.h"
#include "past/past_hiding.h"

/* What an image's own layer has. */
struct own {
    struct map paths, directories, packages; /* paths: as past_hide() notes them */
};

static void list_own(struct own *own, const struct bill *bill)
{
    for (size_t i = 0; i < bill->files.count; i++)
        past_hide(&own->paths, bill->files.items[i].path, bill->files.items[i].kind);
    for (size_t i = 0; i < bill->directories.count; i++) {
        past_hide(&own->paths, bill->directories.items[i].path, NODE_DIRECTORY);
        map_set(&own->directories, text_of(bill->directories.items[i].path), own);
    }
    for (size_t i = 0; i < bill->packages.count; i++) {
        if (bill->packages.items[i].has_given)
            map_set(&own->packages, text_of(bill->packages.items[i].name), own);
    }
}

/* The base's strings lie in its ground, which is closed before the bill is kept. */
static struct bill_package copy_package(struct arena *arena, const struct bill_package *package)
{
    return (struct bill_package){.name = arena_strdup(arena, package->name),
                                 .version = arena_strdup(arena, package->version),
                                 .architecture = arena_strdup(arena, package->architecture),
                                 .source_package = arena_strdup(arena, package->source_package),
                                 .source_version = arena_strdup(arena, package->source_version),
                                 .url = arena_strdup(arena, package->url),
                                 .has_given = true};
}

static struct bill_file copy_file(struct arena *arena, const struct bill_file *file)
{
    return (struct bill_file){.path = arena_strdup(arena, file->path),
                              .package = arena_strdup(arena, file->package),
                              .kind = file->kind,
                              .size_bytes = file->size_bytes};
}

static void add_base(struct arena *arena, const struct bill *base, struct bill *whole)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct own own = {{.arena = &scratch}, {.arena = &scratch}, {.arena = &scratch}};
    list_own(&own, whole);
    for (size_t i = 0; i < base->packages.count; i++) {
        if (!map_get(&own.packages, text_of(base->packages.items[i].name)))
            list_add(arena, &whole->packages, copy_package(arena, &base->packages.items[i]));
    }
    for (size_t i = 0; i < base->files.count; i++) {
        const struct bill_file *file = &base->files.items[i];
        if (!past_is_hidden(&scratch, &own.paths, file->path, file->kind))
            list_add(arena, &whole->files, copy_file(arena, &base->files.items[i]));
    }
    for (size_t i = 0; i < base->directories.count; i++) {
        const char *path = base->directories.items[i].path;
        if (!past_is_hidden(&scratch, &own.paths, path, NODE_DIRECTORY) && !map_get(&own.directories, text_of(path)))
            list_add(arena, &whole->directories, copy_file(arena, &base->directories.items[i]));
    }
    for (size_t i = 0; i < base->sonames.count; i++) {
        const struct bill_soname *soname = &base->sonames.items[i];
        if (!past_is_hidden(&scratch, &own.paths, soname->path, NODE_FILE))
            list_add(arena, &whole->sonames,
                     (struct bill_soname){arena_strdup(arena, soname->path), arena_strdup(arena, soname->soname)});
    }
}

static bool is_known(const char *state_dir, const struct digest *manifest)
{
    AUTO(past_bill_close) struct past_bill bill = {0};
    return past_open_bill(state_dir, manifest, &bill);
}

/* Reads what the base has, and adds it. */
static bool read_base(struct arena *arena, const struct job *job, struct bill *whole, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(ground_close) struct ground ground = {0};
    const struct installed *installed;
    struct bill base;
    const char *note;
    if (!standing_fetch(job->plant, job->standing, err) || !standing_open(job->plant, job->standing, &ground, err))
        return false;
    side_read_ground(&scratch, &ground, NULL, &base, &installed, &note);
    add_base(arena, &base, whole);
    return true;
}

const struct bill *published_whole(struct arena *arena, const struct job *job)
{
    const char *state_dir = job->plant->options->state_dir;
    struct bill *whole = arena_new(arena, struct bill);
    struct err err = {0};
    if (!job->bill.base || !job->standing || job->made_base || is_known(state_dir, &job->bill.manifest) ||
        is_known(state_dir, &job->bill.base->manifest))
        return &job->bill;
    *whole = job->bill;
    if (!bill_complete(arena, whole))
        return &job->bill;
    if (read_base(arena, job, whole, &err)) {
        whole->base = NULL; /* all is told */
        return whole;
    }
    log_line(job->plant->log, LOG_QUIET, "warning: find --in-images will not know what %s has: %s",
             job->bill.base->name, err.text);
    return &job->bill;
}
