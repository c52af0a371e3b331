/* SPDX-License-Identifier: Apache-2.0 */
/* deb_wanted.h - the words of a request as apt-get install understands them: which packages, and which versions of them
 *
 * A word is, in this order: the name of a package; a name that packages provide and none has (apt's virtual package), for
 * which the only provider stands; NAME:ARCH; NAME=VERSION (VERSION may be a glob), NAME/RELEASE; NAME (>= VERSION), also
 * without brackets; a glob; an extended regular expression, found anywhere in names. Only providers count whose candidate
 * provides the name (apt-private/private-cacheset.cc, tryVirtualPackage).
 * Threads: one, that of the solver.
 * Owns: nothing; results live in the pool's arena.
 * Fails with: ERR_RESOLVE (several providers, with their list; no such version, with those that are there; another
 * architecture), ERR_MALFORMED and ERR_LOCAL as deb_pool.h.
 */
#ifndef IMGFACTORY_DEB_DEB_WANTED_H
#define IMGFACTORY_DEB_DEB_WANTED_H

#include "deb/deb_pool.h"

/* Reads the request's words into solve->wanted. What the base has installed is known by then. A word that means nothing is
 * taken for a name, of which the solver then says that there is none. */
bool deb_wanted_read(struct solve_pool *solve, const struct solve_request *request, struct err *err) MUST_CHECK;
/* Adds to `words` the words of the request for which a package stands that is called otherwise. */
void deb_wanted_stands(const struct solve_pool *solve, struct arena *arena, struct text name, struct strings *words);

#endif
