/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_record.h - what rpm keeps of an .rpm beside its files: both headers, as they are in the package
 *
 * The package was unpacked before, so that its header is one that somebody vouches for.
 * Threads: any worker.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_RPM_RPM_RECORD_H
#define IMGFACTORY_RPM_RPM_RECORD_H

#include "package/package_unpack.h"
#include "package/record.h"

/* The items of the record. */
#define RPM_RECORD_HEADER "header"
#define RPM_RECORD_SIGNATURE "signature"

/* The function of struct format. The record borrows the bytes of the package. */
bool rpm_record(struct arena *arena, struct text bytes, const struct unpack_limits *limits, struct record *ret_record,
                struct err *err) MUST_CHECK;

#endif
