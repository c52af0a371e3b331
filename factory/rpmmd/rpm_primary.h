/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_primary.h - primary.xml to libsolv's own format (.solv), which loads ten times faster
 *
 * Input: https://github.com/rpm-software-management/createrepo_c (primary.xml: name, arch, version, checksum, size,
 * location, relations, and the files of /etc, of directories that end in "bin", and /usr/lib/sendmail). The Pool's
 * content is that of libsolv's repo_add_rpmmd() as far as solving and fetching need it; source packages are left out.
 * Refused: packages without a SHA-256 or SHA-512, without size, with a location that leaves the repository.
 * Threads: any worker; nothing of libsolv leaves the call.
 * Fails with: ERR_MALFORMED "NAME:LINE: …".
 */
#ifndef IMGFACTORY_RPMMD_RPM_PRIMARY_H
#define IMGFACTORY_RPMMD_RPM_PRIMARY_H

#include "io/decompress.h"

#define RPM_PRIMARY_FORMAT "rpm-primary 1"

/* Key (a string array of a package): paths among its files that are no files: directories and %ghost. */
#define RPM_PRIMARY_NO_FILES "imgfactory:no-files"

/* Reads primary.xml and writes .solv; the caller calls buf_done(). */
bool rpm_primary_build(const char *name, enum compression compression, struct text packed, struct buf *ret_solv,
                       struct err *err) MUST_CHECK;

#endif
