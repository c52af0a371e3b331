/* SPDX-License-Identifier: Apache-2.0 */
/* own.h - the packages that a service is made of
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SERVICE_OWN_H
#define IMGFACTORY_SERVICE_OWN_H

#include "service/automatic.h"

/* Own packages that are open, by name; `main` is the one that ships the first binary (NULL: no binary). */
struct own {
    const struct package *main;
    struct {
        const struct package **items;
        size_t count, capacity;
    } packages;
    struct strings names; /* of the packages */
};

/* Finds them. */
void own_find(struct arena *arena, const struct automatic_request *request, struct own *ret_own);
/* Returns the name of a selected package's source; NULL when it is not known. */
const char *own_source(const struct automatic_request *request, const char *package);
/* Returns whether a package is one of them. */
bool own_has(const struct own *own, const struct package *package);

#endif
