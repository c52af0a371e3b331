/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_unpack.h - a whole .rpm: lead, signature header, header, cpio (rpm_archive.h, rpm_payload.h), and its database
 *
 * The format's functions of format.h that need no repository; rpmmd/rpm_format.c puts them into the table.
 * Threads: any worker.
 * Fails with: as package.h tells.
 */
#ifndef IMGFACTORY_RPM_RPM_UNPACK_H
#define IMGFACTORY_RPM_RPM_UNPACK_H

#include "package/database.h"
#include "package/package_unpack.h"

/* Unpacks an .rpm. */
bool rpm_unpack(struct store *store, struct text rpm, const struct package_expect *expect,
                const struct unpack_limits *limits, struct err *err) MUST_CHECK;
/* Where images without rpm list their packages. */
#define RPM_LIST_DIR "/var/lib/rpmmanifest"
/* Prints these lists. */
bool rpm_database(struct arena *arena, const struct database_request *request, struct database_files *ret_files,
                  struct err *err) MUST_CHECK;

#endif
