/* SPDX-License-Identifier: Apache-2.0 */
/* find.h - what a package ships, and which packages ship a path: for `imgfactory find`
 *
 * From the indices alone; nothing is fetched but these, nothing is installed. A word with a '/' or a glob character is a path
 * or a glob (path.h); another is a package, or else the name of files.
 * Threads: find_paths() blocks; called by main. It asks for all architectures at once.
 * Owns: nothing; what is found lives in the arena.
 * Fails with: ERR_RESOLVE (nothing matches, no index of paths), and as plant_catalog() and catalog.h.
 */
#ifndef IMGFACTORY_LINE_FIND_H
#define IMGFACTORY_LINE_FIND_H

#include "line/plant.h"

#define FIND_MAX 1000000u /* paths of one word for one architecture */

struct find_request {
    const struct strings *words;
    const struct source *source;
    const struct arch *const *arches;
    size_t arch_count; /* at most 64 */
};

struct found_path {
    const char *path, *package;
    uint64_t arches; /* a bit for each of the request's */
};

struct found_paths {
    struct found_path *items; /* by path, then package; of each word, in their order */
    size_t count, capacity;
    bool is_cut; /* there are more than FIND_MAX */
};

/* Finds them. */
bool find_paths(struct plant *plant, struct arena *arena, const struct find_request *request,
                struct found_paths *ret_found, struct err *err) MUST_CHECK;
/* Prints them: a line each, or as JSON. */
void find_print(FILE *out, const struct find_request *request, const struct found_paths *found, bool is_json);

#endif
