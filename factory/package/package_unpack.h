/* SPDX-License-Identifier: Apache-2.0 */
/* package_unpack.h - unpacking with limits that a test can lower: for the formats' unpack(), and for tests
 *
 * The format of the expected package unpacks it (format.h).
 * Threads: any worker.
 * Fails with: as package.h tells.
 */
#ifndef IMGFACTORY_PACKAGE_PACKAGE_UNPACK_H
#define IMGFACTORY_PACKAGE_PACKAGE_UNPACK_H

#include "package/package.h"

/* What one package may take. */
struct unpack_limits {
    uint64_t unpacked_bytes; /* out of each archive in it, headers and padding included */
    size_t entries;
    size_t name_bytes; /* paths and link targets */
};

/* The limits of package.h for a package of this size. */
struct unpack_limits unpack_limits_for(size_t package_bytes);
/* package_unpack() with given limits. */
bool package_unpack_within(struct store *store, struct text bytes, const struct package_expect *expect,
                           const struct unpack_limits *limits, struct err *err) MUST_CHECK;
/* Compares what a package says of itself with what the index said: ERR_TRUST "wrong package". */
bool package_check_expect(const struct package *package, const struct package_expect *expect,
                          struct err *err) MUST_CHECK;
/* The key of the unpacked file: the package's digest; with keys a digest over that and them, so that what was unpacked
 * without a signature is never taken for signed. */
struct digest package_key(const struct package_expect *expect);

#endif
