/* SPDX-License-Identifier: Apache-2.0 */
/* deb_format.h - Debian's packages and repositories, as one of the formats (format.h)
 *
 * Threads: const for all.
 */
#ifndef IMGFACTORY_DEB_DEB_FORMAT_H
#define IMGFACTORY_DEB_DEB_FORMAT_H

#include "source/format.h"

extern const struct format format_deb;

#endif
