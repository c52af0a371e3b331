/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_variables.h - $releasever, $basearch and the like in repository configurations (dnf.conf(5), "Repo variables")
 *
 * A variable is $name, ${name}, ${name:-word} or ${name:+word}; a dollar sign that begins none stays.
 * Threads: no state.
 */
#ifndef IMGFACTORY_RPMMD_RPM_VARIABLES_H
#define IMGFACTORY_RPMMD_RPM_VARIABLES_H

#include "base/map.h"
#include "plan/arch.h"

/* Replaces the variables that `values` has (name → const char *) and, with `arch` (else NULL), $basearch and $arch.
 * *ret_unknown is the first name that stays in the text though it is neither of these two; else NULL. May be NULL. */
const char *rpm_expand(struct arena *arena, const struct map *values, const struct arch *arch, const char *text,
                       const char **ret_unknown);

#endif
