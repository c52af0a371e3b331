/* SPDX-License-Identifier: Apache-2.0 */
/* updateinfo.h - the advisories of an RPM-MD repository
 *
 * Format: updateinfo.xml as createrepo_c's and Fedora's bodhi make it: updates/update (type) with id, title, severity, issued (date),
 * references/reference (id, type), pkglist/collection/package (name, epoch, version, release). repomd.xml lists it; that is taken out of the
 * cache by its digest, and vouches for the file. An advisory is told when it has a package of a name asked for that is newer than the
 * version before and not newer than the one after.
 * Threads: any.
 * Fails with: ERR_LOCAL (what is wanted is not in the cache, and nothing is fetched), ERR_NETWORK, ERR_TRUST, ERR_MALFORMED.
 */
#ifndef IMGFACTORY_RPMMD_UPDATEINFO_H
#define IMGFACTORY_RPMMD_UPDATEINFO_H

#include "base/err.h"
#include "package/advisory.h"

/* The function of struct format. */
bool rpm_advisories(struct arena *arena, const struct advisory_request *request, struct advisories *ret_advisories,
                    struct err *err) MUST_CHECK;

#endif
