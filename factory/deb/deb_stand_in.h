/* SPDX-License-Identifier: Apache-2.0 */
/* deb_stand_in.h - a Release of what the packages of a lock say of themselves (source/stand_in.h)
 *
 * Of repositories with `trusted: true` alone: a .deb has no signature of its own.
 * Threads, Fails with: as stand_in.h; ERR_TRUST for a repository that is not trusted.
 */
#ifndef IMGFACTORY_DEB_DEB_STAND_IN_H
#define IMGFACTORY_DEB_DEB_STAND_IN_H

#include "deb/release.h"
#include "source/stand_in.h"

/* Fills a Release whose repository, pin and uris are set: its files are in the store. */
bool deb_stand_in_make(const struct stand_in *stand_in, struct arena *arena, struct release *release,
                       struct err *err) MUST_CHECK;

#endif
