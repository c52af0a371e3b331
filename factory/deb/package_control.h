/* SPDX-License-Identifier: Apache-2.0 */
/* package_control.h - private to deb/: the control member of a .deb
 *
 * Threads: no state.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_DEB_PACKAGE_CONTROL_H
#define IMGFACTORY_DEB_PACKAGE_CONTROL_H

#include "deb/deb_archive.h"
#include "package/package.h"

/* Names of the facts of a .deb. */
#define DEB_CONTROL "control" /* always there */
#define DEB_MD5SUMS "md5sums"

/* Reads control, md5sums and scripts out of control.tar and fills the package's name, version, architecture, facts,
 * scripts and provides_files_replaced; strings live in the arena. At most cap_bytes may come out of the
 * decompression. */
bool package_read_control(struct arena *arena, const struct deb_member *member, uint64_t cap_bytes,
                          struct package *package, struct err *err) MUST_CHECK;

#endif
