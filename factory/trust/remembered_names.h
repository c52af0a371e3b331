/* SPDX-License-Identifier: Apache-2.0 */
/* remembered_names.h - whether a repository is the one that it was
 *
 * Like apt (Acquire::AllowReleaseInfoChange, apt-secure(8)) we remember what a repository calls itself.
 * Threads: any.
 * Fails with: ERR_TRUST, with the way to accept it.
 */
#ifndef IMGFACTORY_TRUST_REMEMBERED_NAMES_H
#define IMGFACTORY_TRUST_REMEMBERED_NAMES_H

#include "trust/release_state.h"

/* The form in which a name is remembered, in the arena; NULL for none. */
const char *remembered_names_form(struct arena *arena, const char *value);
/* A name for messages, in the arena: in quotes, or "(none)". */
const char *remembered_names_print(struct arena *arena, const char *value);
/* Compares with what was remembered; a difference is refused unless env->is_change_accepted. Nothing remembered (mark
 * NULL, or of an older version) is fine. */
bool remembered_names_check(const struct source_env *env, struct arena *arena, const struct repository *repository,
                            const struct dated *dated, const struct release_names *names,
                            const struct release_mark *mark, struct err *err) MUST_CHECK;

#endif
