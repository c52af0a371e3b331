/* package_unpack.h - private to package_*.c and its tests: unpacking with limits that a test can lower
 *
 * Threads: any worker.
 * Fails with: as package.h tells.
 */
#ifndef IMGFACTORY_CONTENT_PACKAGE_UNPACK_H
#define IMGFACTORY_CONTENT_PACKAGE_UNPACK_H

#include "content/package.h"

/* What one package may take. */
struct unpack_limits {
    uint64_t unpacked_bytes; /* out of each of the two tar members, headers and padding included */
    size_t entries;
    size_t name_bytes; /* paths and link targets */
};

/* The limits of package.h for a .deb of this size. */
struct unpack_limits unpack_limits_for(size_t deb_bytes);
/* package_unpack() with given limits. */
bool package_unpack_within(struct store *store, struct text deb, const struct package_expect *expect,
                           const struct unpack_limits *limits, struct err *err) MUST_CHECK;
/* Compares what a control file says with what the index said: ERR_TRUST "wrong package". */
bool package_check_expect(const struct package *package, const struct package_expect *expect,
                          struct err *err) MUST_CHECK;

#endif
