/* SPDX-License-Identifier: Apache-2.0 */
/* packaged.h - the packages that a bill names, as far as the cache has them; private to change/
 *
 * A package is told by the digest in the bill; signatures are not asked for again.
 * Threads: no state.
 */
#ifndef IMGFACTORY_CHANGE_PACKAGED_H
#define IMGFACTORY_CHANGE_PACKAGED_H

#include "bill/bill.h"
#include "package/package.h"
#include "source/format.h"

/* Returns the format of a package, by the ending of its file's name; NULL when it is none that is known. */
const struct format *packaged_format(const struct bill_package *package);
/* Returns what the package has to be. */
struct package_expect packaged_expect(const struct bill_package *package, const struct format *format);
/* Returns whether the bill says which file the package was. */
bool packaged_has_digest(const struct bill_package *package);
/* Returns whether the cache has the package, its file or what was unpacked of it. */
bool packaged_is_here(struct store *store, const struct bill_package *package);
/* Opens a package that the cache has, unpacked now if it was not before; NULL when it has not, or cannot be. The caller closes
 * it. */
struct package *packaged_open(struct store *store, const struct bill_package *package);

#endif
