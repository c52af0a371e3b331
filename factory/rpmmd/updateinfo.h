/* SPDX-License-Identifier: Apache-2.0 */
/* updateinfo.h - the advisories of an RPM-MD repository
 *
 * Format: updateinfo.xml as createrepo_c's and Fedora's bodhi make it: updates/update (type) with id, title, severity, issued (date),
 * references/reference (id, type), pkglist/collection/package (name, epoch, version, release). repomd.xml lists it; that is taken out of the
 * cache by its digest, and vouches for the file. An advisory is told when it has a package of a name asked for that is newer than the
 * version before and not newer than the one after.
 * Threads: any.
 * Fails with: ERR_MALFORMED, "NAME:LINE: …"; rpm_advisories() also ERR_LOCAL (what is wanted is not in the cache, and nothing is fetched), ERR_NETWORK, ERR_TRUST.
 */
#ifndef IMGFACTORY_RPMMD_UPDATEINFO_H
#define IMGFACTORY_RPMMD_UPDATEINFO_H

#include "base/err.h"
#include "io/decompress.h"
#include "package/advisory.h"

/* What is looked for in one updateinfo.xml. */
struct updateinfo {
    const char *name;         /* for messages */
    const struct map *wanted; /* package's name → struct advisory_package * */
    /* Takes an advisory that has packages that are wanted: it names those, as `wanted` does. All of it lives until take() returns.
     * False ends the reading, with err set. `id` and all of its texts may be NULL. */
    bool (*take)(void *user, const struct advisory *advisory, struct err *err);
    void *user;
};

/* Reads a document. Advisories that name no package that is wanted, and what is within an element that is not known, are passed
 * over. */
bool updateinfo_read(const struct updateinfo *info, enum compression compression, struct text bytes,
                     struct err *err) MUST_CHECK;

/* The function of struct format. */
bool rpm_advisories(struct arena *arena, const struct advisory_request *request, struct advisories *ret_advisories,
                    struct err *err) MUST_CHECK;

#endif
