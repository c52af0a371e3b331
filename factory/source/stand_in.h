/* SPDX-License-Identifier: Apache-2.0 */
/* stand_in.h - the packages of a lock in place of the signed metadata of a repository that no place has any more
 *
 * A format makes indices of what the packages say of themselves, puts them into the store, and goes on as if the repository listed
 * them (deb/deb_stand_in.h, rpmmd/rpm_stand_in.h). What vouches for a package then is its own signature, or `trusted: true`; its bytes
 * are those that the lock names in any case.
 * Threads: any coordinating thread; blocks on the network.
 * Fails with: ERR_NETWORK (a package is gone, too; PINS_GONE), ERR_TRUST, ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_SOURCE_STAND_IN_H
#define IMGFACTORY_SOURCE_STAND_IN_H

#include "source/env.h"

struct stand_in {
    const struct source_env *env; /* with pins */
    const struct pin *pin;        /* the generation that is gone */
    const char *arch;             /* of orders; NULL: all */
    const struct strings *uris;   /* where its packages may be, each ending in '/', at least one */
    const struct err *gone;       /* what was said of the metadata */
};

/* A package with its bytes, and its path below the repository (as in a URL). */
struct stand_in_package {
    const struct pin_package *package;
    const char *path;
    struct text bytes;
};

/* Takes one; it is borrowed. */
typedef bool stand_in_take(void *taker, const struct stand_in_package *package, struct err *err);

/* Gets each package that the lock takes of the generation, and hands it on. */
bool stand_in_each(const struct stand_in *stand_in, stand_in_take *take, void *taker, struct err *err) MUST_CHECK;
/* Notes a package that nothing vouches for, each once, as many as are told. */
void stand_in_note(struct arena *arena, const struct pin_package *package, struct strings *packages);
/* Sets the ERR_TRUST of packages that nothing vouches for. */
void stand_in_refuse(const struct stand_in *stand_in, const struct strings *packages, const char *why, struct err *err);

#endif
