/* SPDX-License-Identifier: Apache-2.0 */
/* os_release.h - what a file system says of its distribution: os-release(5)
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PACKAGE_OS_RELEASE_H
#define IMGFACTORY_PACKAGE_OS_RELEASE_H

#include "base/text.h"

/* Returns the value of a key, without its quotes, of several the last; NULL when the file does not have it. */
const char *os_release_value(struct arena *arena, struct text file, const char *key);

#endif
