/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_updateinfo.h - what an RPM-MD repository's advisories say of packages: which of them mend the security
 *
 * Format: updateinfo.xml as createrepo_c's `updates` (https://github.com/openSUSE/libsolv, repo_updateinfoxml.c): updates,
 * update type="security", pkglist, collection, package with name, epoch, version and release. Advisories of other types, and
 * what is within an element that is not known, are passed over.
 * Threads: no shared state.
 * Fails with: ERR_MALFORMED, as xml_stream.h.
 */
#ifndef IMGFACTORY_RPMMD_RPM_UPDATEINFO_H
#define IMGFACTORY_RPMMD_RPM_UPDATEINFO_H

#include "source/catalog.h"

/* Marks the updates of which an advisory in the plain document is one for security; `name` is for messages. */
bool rpm_updateinfo_mark(const char *name, struct text plain, struct catalog_update *updates, size_t count,
                         struct err *err) MUST_CHECK;
/* As catalog_mark_security(), of all repositories that have advisories. */
bool rpm_catalog_mark_security(struct catalog *catalog, struct catalog_update *updates, size_t count,
                               struct err *err) MUST_CHECK;

#endif
