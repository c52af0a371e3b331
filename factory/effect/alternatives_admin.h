/* SPDX-License-Identifier: Apache-2.0 */
/* alternatives_admin.h - the database of update-alternatives(1), continued for packages that are installed
 *
 * Format: update-alternatives(1), "QUERY FORMAT" tells the parts; the file itself is dpkg's utils/update-alternatives.c: a line with the mode
 * (auto, manual), the master's link, a name and a link for each slave, an empty line; then for each choice its path, its
 * priority, and a path (or an empty line) for each slave; an empty line. Slaves and choices are sorted.
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena.
 * Fails with: ERR_MALFORMED (a file of the base), ERR_TRUST.
 */
#ifndef IMGFACTORY_EFFECT_ALTERNATIVES_ADMIN_H
#define IMGFACTORY_EFFECT_ALTERNATIVES_ADMIN_H

#include "effect/alternatives.h"
#include "ground/ground.h"

/* A file of the database, or a link that it stands for (target not NULL). */
struct alternatives_change {
    const char *path, *text, *target;
};

struct alternatives_changes {
    struct alternatives_change *items;
    size_t count, capacity;
};

struct alternatives_request {
    const struct ground *ground; /* NULL: there is nothing yet */
    const struct fileset *set;
    const struct package *const *packages; /* that are installed */
    size_t count;
    const char *dir; /* of the database: "/var/lib/dpkg/alternatives" */
};

/* Finds what the registrations of the packages make. Links of a name that somebody set by hand stay; a link of which
 * something else is in the place is not made. */
bool alternatives_continue(struct arena *arena, const struct alternatives_request *request,
                           struct alternatives_changes *ret_changes, struct err *err) MUST_CHECK;

#endif
