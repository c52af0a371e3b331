/* SPDX-License-Identifier: Apache-2.0 */
/* maker.h - whether two repositories have the packages of one maker, as a distribution's own do: main, security, updates
 *
 * Threads: any.
 */
#ifndef IMGFACTORY_TRUST_MAKER_H
#define IMGFACTORY_TRUST_MAKER_H

#include "source/origin.h"

/* Returns whether somebody else makes the packages of the other repository: it calls its distribution otherwise, it has the same name
 * (codename) at another place, or its packages are signed by other keys. */
bool maker_is_another(const struct origin *origin, const struct origin *other);

#endif
