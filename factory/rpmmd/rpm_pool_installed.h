/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_pool_installed.h - private to rpmmd/: what a base has, in the Pool while one request is solved
 *
 * The text is that of rpm/rpm_solver_text.c. The Pool is everybody's, so what was added has to be taken out again before its
 * lock is given back.
 * Threads: with the catalog's lock.
 * Fails with: ERR_MALFORMED (a text that is not what it should be, or over a limit).
 */
#ifndef IMGFACTORY_RPMMD_RPM_POOL_INSTALLED_H
#define IMGFACTORY_RPMMD_RPM_POOL_INSTALLED_H

#include "rpmmd/rpm_catalog_parts.h"

/* Adds the packages as the installed ones. Nothing is added for an empty text. On an error, too, they have to be taken out. */
bool rpm_pool_add_installed(struct rpm_catalog *catalog, struct text text, struct err *err) MUST_CHECK;
/* Takes them out; nothing happens when there are none. */
void rpm_pool_drop_installed(struct rpm_catalog *catalog);
/* Returns whether a package is one of them. */
bool rpm_pool_is_installed(const Pool *pool, Id id);

#endif
