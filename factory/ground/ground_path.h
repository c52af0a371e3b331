/* SPDX-License-Identifier: Apache-2.0 */
/* ground_path.h - a path walked component by component, whatever tells what stands where; private to ground/
 *
 * path_resolution(7), in a root of its own: ".." in the root stays there, at most 40 links.
 * Threads: no state.
 * Fails with: nothing; a path that leads nowhere is NULL and a reason.
 */
#ifndef IMGFACTORY_GROUND_GROUND_PATH_H
#define IMGFACTORY_GROUND_GROUND_PATH_H

#include "package/package.h"

/* Tells what stands under an exact path, no link followed; NULL when nothing does. It may set *ret_why, which ends the
 * walk. */
typedef const struct entry *ground_look(void *self, struct text path, const char **ret_why);

struct ground_walk {
    ground_look *look;
    void *self;
    bool follows_last;     /* the last component, too */
    uint64_t linked_bytes; /* counts the bytes of paths that links led to */
};

/* Finds the real path; what is not there counts as a directory. NULL and *ret_why when it leads nowhere. In the arena. */
const char *ground_path(struct ground_walk *walk, struct arena *arena, const char *path, const char **ret_why);

#endif
