/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - why a path is in an image, or why not: for `imgfactory why`
 *
 * The chain of a file goes from what manifest, recipe or factory want themselves to the file, each link needed by the one
 * before it. A path that is not in the image is looked for in its base, in all packages of the selection, and else in the
 * indices. A glob stands for the files of all of these that match it, but for the indices'.
 * Threads: explain_find() on the order's thread, which it blocks; the printing on main.
 * Owns: nothing; results live in the arena given.
 */
#ifndef IMGFACTORY_BILL_EXPLAIN_H
#define IMGFACTORY_BILL_EXPLAIN_H

#include "bill/bill.h"
#include "package/package.h"
#include "source/catalog.h"

/* Where a path is that is asked for and that is none of the image's own files. */
struct answer {
    const char *path;        /* or a glob that nothing matches */
    const char *given;       /* where it leads in the base; NULL: it has none, or there is no base */
    bool is_of_glob;         /* then the indices were not asked */
    struct strings packages; /* of the selection that ship it */
    struct strings offered;  /* of the source that ship it, when none of the selection does */
};

struct answers {
    struct answer *items;
    size_t count, capacity;
    size_t left_out; /* paths that globs match and that are not told: there were too many */
};

#define EXPLAIN_PATHS_MAX 2000 /* that globs may stand for, all together */

/* All packages of a selection. */
struct explain_packages {
    const struct package *const *items;
    size_t count;
};

struct explain_request {
    const struct strings *paths;
    const struct bill *bill;
    struct catalog *catalog;
    const struct package *base; /* the files of the image that it stands on; or NULL */
    /* Returns where a path leads in the base, or NULL. */
    const char *(*find_given)(void *self, struct arena *arena, const char *path);
    /* Opens all packages of the selection; called for the first path that neither image nor base has. */
    bool (*open_all)(void *self, struct explain_packages *ret_packages, struct err *err);
    void *self;
};

/* Answers for the paths, in their order; for those of a glob by name. Fails as open_all(). */
bool explain_find(struct arena *arena, const struct explain_request *request, struct answers *ret_answers,
                  struct err *err) MUST_CHECK;

/* The answers for one architecture of an image. */
struct explained {
    const struct manifest *manifest;
    const struct arch *arch;
    const struct bill *bill;
    const struct answers *answers;
};

/* Prints the answers for people. */
void explain_print(FILE *out, const struct explained *explained);
/* Appends one object per answer to a JSON array. */
void explain_json(const struct explained *explained, json_t *array);

#endif
