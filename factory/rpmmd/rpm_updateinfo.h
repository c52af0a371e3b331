/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_updateinfo.h - what an RPM-MD repository's advisories say of packages: which of them mend the security
 *
 * updateinfo.h reads the documents.
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
