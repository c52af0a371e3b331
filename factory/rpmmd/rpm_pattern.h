/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_pattern.h - a word of dnf's that names packages: NAME, NAME.ARCH, NAME-VERSION …, each part maybe a glob
 *
 * dnf tries its forms in an order: NAME-[EPOCH:]VERSION-RELEASE.ARCH, NAME.ARCH, NAME, NAME-[EPOCH:]VERSION-RELEASE,
 * NAME-[EPOCH:]VERSION; so a name that itself ends in "-1" is tried as a name before it is cut. The epoch may stand before the
 * name, too.
 * Threads: no state; the caller holds what guards the Pool.
 */
#ifndef IMGFACTORY_RPMMD_RPM_PATTERN_H
#define IMGFACTORY_RPMMD_RPM_PATTERN_H

#include "base/arena.h"
#include "source/solv.h"

#define RPM_PATTERN_FORMS 5
#define RPM_PATTERN_NAME 2 /* the form that is a name alone */

/* A word cut up: each part is a pattern of its own; NULL: anything. */
struct rpm_pattern {
    const char *name, *epoch, *version, *release, *arch;
};

/* Reads a word in one of the forms, which are numbered in dnf's order; false when it has not got that form. */
bool rpm_pattern_read(struct arena *arena, const char *word, int form, struct rpm_pattern *ret_pattern);
/* Returns whether a package is one that the pattern means. */
bool rpm_pattern_matches(const Pool *pool, const Solvable *item, const struct rpm_pattern *pattern);

#endif
