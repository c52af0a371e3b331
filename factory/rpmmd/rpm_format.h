/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_format.h - RPM packages and RPM-MD repositories, as one of the formats (format.h)
 *
 * Threads: const for all.
 */
#ifndef IMGFACTORY_RPMMD_RPM_FORMAT_H
#define IMGFACTORY_RPMMD_RPM_FORMAT_H

#include "source/format.h"

extern const struct format format_rpm;

#endif
