/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_changelog.h - the changelog in the header of an .rpm
 *
 * Tags CHANGELOGTIME, CHANGELOGNAME ("Name <mail> - 1.2-3") and CHANGELOGTEXT, newest first. Entries are those that the header of
 * the older package has not, when that is in the store; else those above the first whose version is not newer than the older
 * package's.
 * Threads: any worker.
 * Fails with: as package.h.
 */
#ifndef IMGFACTORY_RPM_RPM_CHANGELOG_H
#define IMGFACTORY_RPM_RPM_CHANGELOG_H

#include "package/changelog.h"
#include "rpm/rpm_header.h"

/* The function of struct format. */
bool rpm_changelog(struct arena *arena, const struct changelog_request *request, struct changelog *ret_changelog,
                   bool *ret_found, struct err *err) MUST_CHECK;
/* Returns the version that the name of an entry ends with; NULL when there is none. */
const char *rpm_changelog_version(struct arena *arena, const char *name);

#endif
