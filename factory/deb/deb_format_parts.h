/* SPDX-License-Identifier: Apache-2.0 */
/* deb_format_parts.h - private to deb/: the functions of format_deb that have no header of their own
 *
 * Each is described at its type in format.h.
 */
#ifndef IMGFACTORY_DEB_DEB_FORMAT_PARTS_H
#define IMGFACTORY_DEB_DEB_FORMAT_PARTS_H

#include "deb/deb_format.h"
#include "package/database.h"
#include "package/package_unpack.h"

/* Unpacks a .deb (deb(5): ar with debian-binary, control.tar*, data.tar*; deb_archive.h, deb_tar.h). */
bool deb_unpack(struct store *store, struct text deb, const struct package_expect *expect,
                const struct unpack_limits *limits, struct err *err) MUST_CHECK;
/* Prints /var/lib/dpkg/status.d/NAME (control file with "Status: install ok installed" after Package:, as distroless
 * images have it) and NAME.md5sums (only the lines of files in the image). */
bool deb_database(struct arena *arena, const struct database_request *request, struct database_files *ret_files,
                  struct err *err) MUST_CHECK;

#endif
