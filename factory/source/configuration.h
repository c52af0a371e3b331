/* SPDX-License-Identifier: Apache-2.0 */
/* configuration.h - which rule a package manager has for configuration that was changed
 *
 * dpkg: deb-conffiles(5), dpkg(1) "--force-confold"; rpm: rpm-spec(5), %config.
 * Threads: no state.
 */
#ifndef IMGFACTORY_SOURCE_CONFIGURATION_H
#define IMGFACTORY_SOURCE_CONFIGURATION_H

/* What becomes of a file that its package has as configuration when both somebody and a newer version of the package changed it. */
enum configuration {
    CONFIGURATION_NONE,      /* it is none */
    CONFIGURATION_CONFFILE,  /* dpkg's: it stays, and stays away once it was removed; the new one is NAME.dpkg-dist */
    CONFIGURATION_NOREPLACE, /* rpm's %config(noreplace): it stays, the new one is NAME.rpmnew */
    CONFIGURATION_REPLACED,  /* rpm's %config: it is replaced, the former one is NAME.rpmsave */
    CONFIGURATION_MISSING_NOREPLACE, /* the same two with missingok: it stays away once it was removed */
    CONFIGURATION_MISSING_REPLACED,
};

#endif
