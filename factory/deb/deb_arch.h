/* SPDX-License-Identifier: Apache-2.0 */
/* deb_arch.h - what Debian calls an architecture: the key `deb` of arches/
 *
 * Threads: const.
 */
#ifndef IMGFACTORY_DEB_DEB_ARCH_H
#define IMGFACTORY_DEB_DEB_ARCH_H

#include "plan/arch.h"

extern const struct arch_key deb_arch_keys[];

/* Returns "arm64". */
const char *deb_arch(const struct arch *arch);
/* Returns what Debian calls the architecture that this program was built for. */
const char *deb_native_arch(void);

#endif
