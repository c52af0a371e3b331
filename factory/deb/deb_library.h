/* SPDX-License-Identifier: Apache-2.0 */
/* deb_library.h - what the package of a shared library is called (Debian Policy 8.1)
 *
 * LIBRARYVERSION, or LIBRARY-VERSION when the library's name ends with a digit; in lower case, "_" as "-". Since the change
 * of time_t to 64 bits (Debian 13) many have "t64" behind that.
 * Threads: pure functions.
 */
#ifndef IMGFACTORY_DEB_DEB_LIBRARY_H
#define IMGFACTORY_DEB_DEB_LIBRARY_H

#include "base/list.h"

/* The function of struct format: of "libz.so.1" libz1 and libz1t64, of "liblz4.so.1" liblz4-1 …; nothing of another name. */
void deb_library_packages(struct arena *arena, const char *soname, struct strings *names);

#endif
