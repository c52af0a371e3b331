/* SPDX-License-Identifier: Apache-2.0 */
/* deb_version.h - Debian's versions: how they compare, exactly as dpkg does it
 *
 * Format: Debian Policy 5.6.12, "Version"; deb-version(7). [epoch:]upstream[-revision]; no epoch is 0, no revision is an
 * empty one, which equals 0.
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_DEB_DEB_VERSION_H
#define IMGFACTORY_DEB_DEB_VERSION_H

#include "base/text.h"

/* Compares two versions, whatever their bytes: below 0 when `a` is the older one. */
int deb_version_compare(struct text a, struct text b);

#endif
