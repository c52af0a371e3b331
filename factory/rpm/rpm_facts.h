/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_facts.h - what an .rpm's main header says of the package as a whole: its facts, by name
 *
 * Names and numbers of tags: https://rpm-software-management.github.io/rpm/manual/tags.html.
 * Threads: no state.
 * Fails with: ERR_MALFORMED.
 */
#ifndef IMGFACTORY_RPM_RPM_FACTS_H
#define IMGFACTORY_RPM_RPM_FACTS_H

#include "package/package.h"
#include "rpm/rpm_header.h"

/* Names of the facts of an .rpm; version and release are always there, the others where the header has them. */
#define RPM_EPOCH "epoch"
#define RPM_VERSION "version"
#define RPM_RELEASE "release"
#define RPM_SOURCE "source-rpm"
#define RPM_VENDOR "vendor"
#define RPM_LICENSE "license"
#define RPM_SIZE "size" /* bytes when installed, decimal: RPMTAG_SIZE or LONGSIZE */

/* Fills name, version, architecture, facts, scripts and build time. Source packages are refused. Strings are views
 * of the header or in the arena. */
bool rpm_facts_read(struct arena *arena, const struct rpm_header *header, struct package *package,
                    struct err *err) MUST_CHECK;

#endif
