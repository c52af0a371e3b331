/* fileset.h - the files of several packages under one root: look-up by canonical path, symlinks followed inside it
 *
 * Threads: built by one thread, then const.
 */
#ifndef IMGFACTORY_CONTENT_FILESET_H
#define IMGFACTORY_CONTENT_FILESET_H

#include "base/map.h"
#include "content/package.h"

/* One file of one package, the unit that closure and tree work with. */
struct sourced {
    const struct package *package;
    const struct entry *entry;
    struct sourced *shadowed; /* the same path in a further package, or NULL */
};

struct sourced_list {
    const struct sourced **items;
    size_t count, capacity;
};

struct fileset {
    struct arena *arena;
    const struct package *const *packages; /* in selection order (by name) */
    size_t package_count;
    struct map by_path; /* canonical path → struct sourced * */
};

/* Builds the set. The packages must outlive it. */
void fileset_build(struct arena *arena, const struct package *const *packages, size_t count, struct fileset *ret_set);
/* Finds exactly this path; NULL when absent. */
const struct sourced *fileset_find(const struct fileset *set, const char *path);
/* Walks a path through symlinks of the set, in its components and at its end (at most 40, as the kernel): the file it ends at, or NULL. Every symlink walked
 * is added to `ret_links` (may be NULL) so that it can be kept. *ret_path is the canonical path where the walk ended, found or not. */
const struct sourced *fileset_walk(const struct fileset *set, struct arena *arena, const char *path,
                                   struct sourced_list *ret_links, const char **ret_path);

#endif
