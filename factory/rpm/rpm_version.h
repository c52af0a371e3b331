/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_version.h - how rpm compares [EPOCH:]VERSION-RELEASE
 *
 * libsolv's comparison, which is rpm's. A missing release or epoch counts as an empty one.
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_RPM_RPM_VERSION_H
#define IMGFACTORY_RPM_RPM_VERSION_H

/* Below 0 when `a` is the older one. */
int rpm_version_compare(const char *a, const char *b);

#endif
