/* SPDX-License-Identifier: Apache-2.0 */
/* Where programs and services are, and in which order they are told. */
#include "source/locate.h"

#include "base/auto.h"
#include "source/contents.h"

#include <stdlib.h>

#define PACKAGES_MAX 1000 /* of one path; more are not worth a list */

/* Directories of everybody's PATH (Debian Policy 9.1 and the FHS), then where programs of packages are that others start. */
static const char *const path_dirs[] = {"usr/sbin", "usr/bin", "usr/games", "usr/local/sbin", "usr/local/bin"};

static bool is_path_dir(const char *dir)
{
    for (size_t i = 0; i < ARRAY_COUNT(path_dirs); i++) {
        if (strcmp(dir, path_dirs[i]) == 0)
            return true;
    }
    return false;
}

/* "/usr/libexec", below it, a directory of /usr/lib, and directories called bin or sbin below /usr/lib and /opt. */
static bool is_inner_dir(const char *dir)
{
    struct text text = text_of(dir);
    if (text_has_prefix(text, "usr/lib/") && !strchr(dir + strlen("usr/lib/"), '/'))
        return true;
    bool is_libexec = text_is(text, "usr/libexec") || text_has_prefix(text, "usr/libexec/");
    bool is_bin = text_has_suffix(text, "/bin") || text_has_suffix(text, "/sbin");
    return is_libexec || (is_bin && (text_has_prefix(text, "usr/lib") || text_has_prefix(text, "opt/")));
}

static bool is_wanted(const struct locate *locate, const char *dir)
{
    if (locate->kind == LOCATED_PROGRAMS)
        return is_path_dir(dir) || is_inner_dir(dir);
    AUTO(arena_done) struct arena scratch = {0};
    return contents_is_service(text_of(arena_printf(&scratch, "%s/%s", dir, locate->base)));
}

void locate_add(struct locate *locate, const char *dir, struct text package)
{
    struct location *location = NULL;
    if (!package.len || !is_wanted(locate, dir))
        return;
    const char *path = arena_printf(locate->arena, "/%s/%s", dir, locate->base);
    for (size_t i = 0; i < locate->found.count && !location; i++) {
        if (strcmp(locate->found.items[i].path, path) == 0)
            location = &locate->found.items[i];
    }
    if (!location) {
        list_add(locate->arena, &locate->found, (struct location){.path = path});
        location = &locate->found.items[locate->found.count - 1];
    }
    const char *name = text_dup(locate->arena, package);
    if (location->packages.count < PACKAGES_MAX && !strings_has(&location->packages, name))
        list_add(locate->arena, &location->packages, name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Directories of PATH in their order, the others behind them by name. */
static int compare_locations(const void *a, const void *b)
{
    const struct location *left = a, *right = b;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return strcmp(left->path, right->path);
}

static size_t rank_of(const char *path)
{
    struct text dir = {path + 1, (size_t)(strrchr(path, '/') - path - 1)};
    for (size_t i = 0; i < ARRAY_COUNT(path_dirs); i++) {
        if (text_is(dir, path_dirs[i]))
            return i;
    }
    return ARRAY_COUNT(path_dirs);
}

void locate_settle(struct locate *locate, bool (*keeps)(const void *context, const char *package), const void *context)
{
    size_t count = 0;
    bool has_path_dir = false;
    for (size_t i = 0; i < locate->found.count; i++) {
        struct location location = locate->found.items[i];
        struct strings *packages = &location.packages;
        size_t kept = 0;
        for (size_t k = 0; k < packages->count; k++) {
            if (keeps(context, packages->items[k]))
                packages->items[kept++] = packages->items[k];
        }
        if (!(packages->count = kept))
            continue;
        qsort(packages->items, kept, sizeof *packages->items, compare_names);
        location.rank = rank_of(location.path);
        location.is_in_path = location.rank < ARRAY_COUNT(path_dirs);
        has_path_dir = has_path_dir || location.is_in_path;
        locate->found.items[count++] = location;
    }
    if (count)
        qsort(locate->found.items, count, sizeof *locate->found.items, compare_locations);
    locate->found.count = count;
    while (has_path_dir && !locate->found.items[locate->found.count - 1].is_in_path)
        locate->found.count--;
}
