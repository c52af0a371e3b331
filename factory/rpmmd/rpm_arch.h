/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_arch.h - what RPM and dnf call an architecture: the keys `rpm` and `rpm-base` of arches/
 *
 * Threads: const.
 */
#ifndef IMGFACTORY_RPMMD_RPM_ARCH_H
#define IMGFACTORY_RPMMD_RPM_ARCH_H

#include "plan/arch.h"

extern const struct arch_key rpm_arch_keys[];

/* Returns "armv7hl": the packages' architecture, dnf's $arch. */
const char *rpm_arch(const struct arch *arch);
/* Returns "armhfp": dnf's $basearch, mostly the same. */
const char *rpm_arch_base(const struct arch *arch);

#endif
