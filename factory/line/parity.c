/* SPDX-License-Identifier: Apache-2.0 */
#include "line/parity.h"

#include "base/map.h"
#include "source/format.h"

#include <stdlib.h>

struct comparing {
    struct arena *arena;
    const struct parity_side *sides;
    size_t count;
    bool is_exact, are_all;
    struct lags lags;
};

/* What the architectures have of a package, or of a source package. */
struct group {
    const struct bill_package **packages; /* of each side one, or NULL */
    bool is_given;                        /* any of them gave files */
    bool is_of_all;                       /* every side has it */
};

static struct group *group_of(struct comparing *comparing, struct map *groups, const char *name)
{
    struct group *group = map_get(groups, text_of(name));
    if (group)
        return group;
    group = arena_new(comparing->arena, struct group);
    group->packages = arena_new_array(comparing->arena, const struct bill_package *, comparing->count);
    (void)map_add(groups, text_of(name), group);
    return group;
}

static const struct format *format_of(const struct comparing *comparing)
{
    return comparing->sides[0].origins->source->format;
}

static int compare(const struct comparing *comparing, const char *a, const char *b)
{
    return strcmp(a, b) == 0 ? 0 : format_of(comparing)->compare_versions(a, b);
}

/* The source package is the package itself where nothing is said. */
static const char *source_of(const struct bill_package *package)
{
    return package->source_package ? package->source_package : package->name;
}

static const char *source_version_of(const struct bill_package *package)
{
    return package->source_version ? package->source_version : package->version;
}

/* Of several packages of one name, as of two machine types on one architecture, and of a source, the newest counts. */
static void take(const struct comparing *comparing, struct group *group, size_t side,
                 const struct bill_package *package)
{
    const struct bill_package *other = group->packages[side];
    group->is_given = group->is_given || package->has_given || comparing->are_all;
    if (!other || compare(comparing, source_version_of(package), source_version_of(other)) > 0)
        group->packages[side] = package;
}

static bool is_same(const struct comparing *comparing, const struct bill_package *a, const struct bill_package *b)
{
    if (comparing->is_exact && strcmp(a->name, b->name) == 0)
        return compare(comparing, a->version, b->version) == 0;
    return strcmp(source_of(a), source_of(b)) == 0 &&
           compare(comparing, source_version_of(a), source_version_of(b)) == 0;
}

/* Below 0 when `a` is the older one: by the source's version where that tells, else by its own. */
static int order_of(const struct comparing *comparing, const struct bill_package *a, const struct bill_package *b)
{
    int order =
        strcmp(source_of(a), source_of(b)) == 0 ? compare(comparing, source_version_of(a), source_version_of(b)) : 0;
    return order ? order : compare(comparing, a->version, b->version);
}

static const struct origin *origin_of(const struct parity_side *side, const char *name)
{
    for (size_t i = 0; name && i < side->origins->count; i++) {
        if (strcmp(side->origins->items[i].name, name) == 0)
            return &side->origins->items[i];
    }
    return NULL;
}

static void add_lag(struct comparing *comparing, const struct group *group)
{
    struct lag lag = {0};
    const struct bill_package *newest = NULL;
    for (size_t i = 0; i < comparing->count; i++) {
        const struct bill_package *package = group->packages[i];
        if (package && (!newest || order_of(comparing, package, newest) > 0))
            newest = package;
    }
    for (size_t i = 0; newest && i < comparing->count; i++) {
        const struct bill_package *package = group->packages[i];
        if (!package)
            continue;
        const struct origin *origin = origin_of(&comparing->sides[i], package->repository);
        struct parity_version version = {.arch = comparing->sides[i].arch,
                                         .package = package,
                                         .date = origin ? origin->date : 0,
                                         .is_security = origin && origin->is_security,
                                         .is_behind = order_of(comparing, package, newest) < 0};
        lag.is_security = lag.is_security || (version.is_security && !version.is_behind);
        list_add(comparing->arena, &lag.versions, version);
    }
    lag.package = newest ? newest->name : "";
    lag.source = newest ? source_of(newest) : "";
    list_add(comparing->arena, &comparing->lags, lag);
}

static bool is_alike(const struct comparing *comparing, struct group *group)
{
    const struct bill_package *first = NULL;
    bool is_alike = true;
    group->is_of_all = true;
    for (size_t i = 0; i < comparing->count; i++) {
        const struct bill_package *package = group->packages[i];
        group->is_of_all = group->is_of_all && package;
        is_alike = is_alike && (!first || !package || is_same(comparing, first, package));
        first = first ? first : package;
    }
    return is_alike;
}

/* Packages by their names. Notes the sources that are told of, and those of packages that not all sides have. */
static void compare_packages(struct comparing *comparing, struct map *ret_told, struct map *ret_partial)
{
    struct map groups = {.arena = comparing->arena};
    for (size_t i = 0; i < comparing->count; i++) {
        const struct bill *bill = comparing->sides[i].bill;
        for (size_t j = 0; j < bill->packages.count; j++)
            take(comparing, group_of(comparing, &groups, bill->packages.items[j].name), i, &bill->packages.items[j]);
    }
    for (size_t i = 0; i < groups.slots.count; i++) {
        struct group *group = groups.slots.items[i].value;
        if (!group->is_given)
            continue;
        bool are_alike = is_alike(comparing, group);
        if (!are_alike)
            add_lag(comparing, group);
        for (size_t j = 0; j < comparing->count; j++) {
            if (group->packages[j] && (!are_alike || !group->is_of_all))
                (void)map_add(are_alike ? ret_partial : ret_told, text_of(source_of(group->packages[j])), ret_told);
        }
    }
}

/* The source packages of packages that not all sides have. */
static void compare_sources(struct comparing *comparing, const struct map *told, const struct map *partial)
{
    struct map groups = {.arena = comparing->arena};
    for (size_t i = 0; i < comparing->count; i++) {
        const struct parity_side *side = &comparing->sides[i];
        const char *own = arch_name(side->arch, format_of(comparing)->arch_keys[0].key);
        for (size_t j = 0; j < side->bill->packages.count; j++) {
            const struct bill_package *package = &side->bill->packages.items[j];
            const char *source = source_of(package);
            bool is_own = own && strcmp(own, package->architecture) == 0;
            if (is_own && map_get(partial, text_of(source)) && !map_get(told, text_of(source)))
                take(comparing, group_of(comparing, &groups, source), i, package);
        }
    }
    for (size_t i = 0; i < groups.slots.count; i++) {
        struct group *group = groups.slots.items[i].value;
        const struct bill_package *first = NULL;
        bool are_alike = true;
        for (size_t j = 0; j < comparing->count; j++) {
            const struct bill_package *package = group->packages[j];
            are_alike = are_alike && (!first || !package ||
                                      compare(comparing, source_version_of(first), source_version_of(package)) == 0);
            first = first ? first : package;
        }
        if (!are_alike)
            add_lag(comparing, group);
    }
}

static int by_package(const void *a, const void *b)
{
    const struct lag *one = a, *other = b;
    return strcmp(one->package, other->package);
}

struct lags parity_compare(struct arena *arena, const struct parity_side *sides, size_t count, enum parity parity,
                           bool are_all)
{
    struct comparing comparing = {
        .arena = arena, .sides = sides, .count = count, .is_exact = parity == PARITY_EXACT, .are_all = are_all};
    struct map told = {.arena = arena}, partial = {.arena = arena};
    if (count < 2 || parity == PARITY_UNASKED)
        return comparing.lags;
    compare_packages(&comparing, &told, &partial);
    compare_sources(&comparing, &told, &partial);
    if (comparing.lags.count)
        qsort(comparing.lags.items, comparing.lags.count, sizeof *comparing.lags.items, by_package);
    return comparing.lags;
}
