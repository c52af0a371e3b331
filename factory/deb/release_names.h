/* SPDX-License-Identifier: Apache-2.0 */
/* release_names.h - whether a suite is the one that was asked for
 *
 * The keys that sign a suite sign others, too: with a Release of another suite under its URL a mirror could replace one
 * by the other. What a repository called itself before is remembered_names.h's.
 * Threads: any.
 * Fails with: ERR_TRUST, with the way to accept it.
 */
#ifndef IMGFACTORY_DEB_RELEASE_NAMES_H
#define IMGFACTORY_DEB_RELEASE_NAMES_H

#include "deb/release.h"
#include "trust/release_state.h"

/* What a Release calls itself, in the form in which it is remembered; in the arena. */
struct release_names release_names_of(struct arena *arena, const struct release *release);
/* At first sight Suite or Codename must be what was asked for (or one of release-names, then always). Otherwise:
 * a warning for a third party's repository and with env->is_change_accepted, else refused. Flat repositories, and those
 * that have neither name, cannot be told. */
bool release_names_check_asked(const struct source_env *env, struct arena *arena, const struct release *release,
                               const struct release_mark *mark, struct err *err) MUST_CHECK;

#endif
