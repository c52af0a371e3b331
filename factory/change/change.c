/* SPDX-License-Identifier: Apache-2.0 */
#include "change/change.h"

#include "change/change_values.h"

#include <stdlib.h>

static int compare_packages(const void *left, const void *right)
{
    const struct bill_package *a = *(const struct bill_package *const *)left,
                              *b = *(const struct bill_package *const *)right;
    int order = strcmp(a->name, b->name);
    order = order ? order : strcmp(a->architecture, b->architecture);
    return order ? order : strcmp(a->version, b->version);
}

/* A side's packages, sorted; `matched` tells of each whether its counterpart was found. */
struct sorted_packages {
    const struct bill_package **items;
    bool *matched;
    size_t count;
};

static struct sorted_packages sort_packages(struct arena *arena, const struct bill *bill)
{
    struct sorted_packages sorted = {.count = bill->packages.count};
    sorted.items = arena_new_array(arena, const struct bill_package *, sorted.count + 1);
    sorted.matched = arena_new_array(arena, bool, sorted.count + 1);
    for (size_t i = 0; i < sorted.count; i++)
        sorted.items[i] = &bill->packages.items[i];
    qsort(sorted.items, sorted.count, sizeof *sorted.items, compare_packages);
    return sorted;
}

static void add_package(struct arena *arena, struct change *change, const struct bill_package *before,
                        const struct bill_package *after)
{
    struct package_change found = {.kind = !before  ? CHANGE_CAME
                                           : !after ? CHANGE_WENT
                                                    : CHANGE_CHANGED,
                                   .before = before,
                                   .after = after,
                                   .has_given = (before && before->has_given) || (after && after->has_given)};
    list_add(arena, &change->packages, found);
}

static bool is_same_package(const struct bill_package *a, const struct bill_package *b)
{
    static const struct digest unknown;
    return strcmp(a->version, b->version) == 0 && strcmp(a->architecture, b->architecture) == 0 &&
           (digest_eq(&a->digest, &b->digest) || digest_eq(&a->digest, &unknown) || digest_eq(&b->digest, &unknown));
}

/* A run of packages of one name on both sides. */
struct name_run {
    size_t old_first, old_end, new_first, new_end;
};

/* Pairs what an order says is equal: both lists are sorted by it, so one walk is enough, however long a run is. */
static void pair(struct arena *arena, struct sorted_packages *old, struct sorted_packages *new,
                 const struct name_run *run, int (*compare)(const void *, const void *), struct change *change)
{
    for (size_t i = run->old_first, j = run->new_first; i < run->old_end && j < run->new_end;) {
        int order = old->matched[i] ? -1 : new->matched[j] ? 1 : compare(&old->items[i], &new->items[j]);
        if (order == 0) {
            old->matched[i] = new->matched[j] = true;
            if (!is_same_package(old->items[i], new->items[j]))
                add_package(arena, change, old->items[i], new->items[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
}

static int compare_architectures(const void *left, const void *right)
{
    return strcmp((*(const struct bill_package *const *)left)->architecture,
                  (*(const struct bill_package *const *)right)->architecture);
}

static int compare_nothing(const void *left, const void *right)
{
    (void)left;
    (void)right;
    return 0;
}

/* Packages of one name: the same ones first, then those of one architecture, then any two; what is left came or went. */
static void compare_run(struct arena *arena, struct sorted_packages *old, struct sorted_packages *new,
                        const struct name_run *run, struct change *change)
{
    pair(arena, old, new, run, compare_packages, change);
    pair(arena, old, new, run, compare_architectures, change);
    pair(arena, old, new, run, compare_nothing, change);
    for (size_t i = run->old_first; i < run->old_end; i++) {
        if (!old->matched[i])
            add_package(arena, change, old->items[i], NULL);
    }
    for (size_t i = run->new_first; i < run->new_end; i++) {
        if (!new->matched[i])
            add_package(arena, change, NULL, new->items[i]);
    }
}

static size_t end_of_run(const struct sorted_packages *packages, size_t first, const char *name)
{
    while (first < packages->count && strcmp(packages->items[first]->name, name) == 0)
        first++;
    return first;
}

static void compare_all_packages(struct arena *arena, const struct bill *before, const struct bill *after,
                                 struct change *change)
{
    struct sorted_packages old = sort_packages(arena, before), new = sort_packages(arena, after);
    for (size_t i = 0, j = 0; i < old.count || j < new.count;) {
        bool is_old = j == new.count || (i < old.count && strcmp(old.items[i]->name, new.items[j]->name) <= 0);
        const char *name = is_old ? old.items[i]->name : new.items[j]->name;
        struct name_run run = {i, end_of_run(&old, i, name), j, end_of_run(&new, j, name)};
        compare_run(arena, &old, &new, &run, change);
        i = run.old_end;
        j = run.new_end;
    }
}

static int compare_paths(const void *left, const void *right)
{
    const struct bill_file *a = *(const struct bill_file *const *)left, *b = *(const struct bill_file *const *)right;
    return strcmp(a->path, b->path);
}

/* A side's files and directories, sorted. */
struct sorted_files {
    const struct bill_file **items;
    size_t count;
};

static struct sorted_files sort_files(struct arena *arena, const struct bill *bill)
{
    struct sorted_files sorted = {
        .items = arena_new_array(arena, const struct bill_file *, bill->files.count + bill->directories.count + 1)};
    for (size_t i = 0; i < bill->files.count; i++)
        sorted.items[sorted.count++] = &bill->files.items[i];
    for (size_t i = 0; i < bill->directories.count; i++)
        sorted.items[sorted.count++] = &bill->directories.items[i];
    qsort(sorted.items, sorted.count, sizeof *sorted.items, compare_paths);
    return sorted;
}

static bool is_same_file(const struct bill_file *a, const struct bill_file *b)
{
    return a->kind == b->kind && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
           a->size_bytes == b->size_bytes && digest_eq(&a->digest, &b->digest) && text_same(a->target, b->target) &&
           text_same(a->capability, b->capability);
}

static void add_file(struct arena *arena, struct change *change, const struct bill_file *before,
                     const struct bill_file *after)
{
    struct file_change found = {!before ? CHANGE_CAME : !after ? CHANGE_WENT : CHANGE_CHANGED, before, after};
    list_add(arena, &change->files, found);
}

static void compare_all_files(struct arena *arena, const struct bill *before, const struct bill *after,
                              struct change *change)
{
    struct sorted_files old = sort_files(arena, before), new = sort_files(arena, after);
    for (size_t i = 0, j = 0; i < old.count || j < new.count;) {
        int order = i == old.count ? 1 : j == new.count ? -1 : strcmp(old.items[i]->path, new.items[j]->path);
        const struct bill_file *a = order <= 0 ? old.items[i++] : NULL, *b = order >= 0 ? new.items[j++] : NULL;
        if (!a || !b || !is_same_file(a, b))
            add_file(arena, change, a, b);
    }
}

void change_note(struct arena *arena, struct change *change, const char *note)
{
    char *line = arena_strdup(arena, note);
    text_flatten(line); /* names in it came from outside */
    if (!strings_has(&change->notes, line))
        list_add(arena, &change->notes, line);
}

const struct bill_package *change_package(const struct package_change *change)
{
    return change->after ? change->after : change->before;
}

bool change_is_none(const struct change *change)
{
    return change->before && change->after && digest_eq(&change->before->digest, &change->after->digest);
}

void change_compare(struct arena *arena, const struct change_side *before, const struct change_side *after,
                    struct change *ret_change)
{
    *ret_change = (struct change){.before = before, .after = after};
    if (!before || !after || change_is_none(ret_change))
        return;
    ret_change->is_known = before->bill && after->bill;
    if (ret_change->is_known) {
        compare_all_packages(arena, before->bill, after->bill, ret_change);
        compare_all_files(arena, before->bill, after->bill, ret_change);
    }
    change_values(arena, before, after, ret_change);
}
