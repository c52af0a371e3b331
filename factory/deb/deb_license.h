/* SPDX-License-Identifier: Apache-2.0 */
/* deb_license.h - the licences of a .deb, out of its copyright file
 *
 * /usr/share/doc/PACKAGE/copyright (Debian Policy 12.5), if it is machine readable (its first field is Format: with
 * the address of copyright-format-1.0): the short names of all Files paragraphs, else of the header, as one SPDX expression.
 * Debian's names become SPDX's; what SPDX does not know becomes LicenseRef-debian-NAME. "or" binds weaker than "and", a
 * comma before either weaker still. A file that is not machine readable says nothing: no text is guessed at.
 * Threads: pure functions of their inputs.
 */
#ifndef IMGFACTORY_DEB_DEB_LICENSE_H
#define IMGFACTORY_DEB_DEB_LICENSE_H

#include "ground/installed.h"
#include "package/package.h"

/* The functions of struct format. */
const char *deb_license(struct arena *arena, const struct package *package);
const char *deb_installed_license(struct arena *arena, const struct ground *ground,
                                  const struct installed_package *package);
/* Reads a copyright file's text; NULL when it says nothing that a machine can read. */
const char *deb_license_parse(struct arena *arena, struct text copyright);

#endif
