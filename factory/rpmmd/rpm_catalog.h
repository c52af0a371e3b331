/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_catalog.h - the catalog of an RPM source for one architecture
 *
 * Each repository's primary.xml becomes a .solv file (rpm_primary.h), kept in the store by the checksum of its input;
 * all of them are loaded into one Pool per catalog. Filelists become compact path tables (contents.h) when a request or
 * a dependency needs a path that primary.xml does not have.
 * Threads, Owns: as catalog.h. The Pool is behind a lock; each solving has a Solver of its own.
 * Fails with: as catalog.h.
 */
#ifndef IMGFACTORY_RPMMD_RPM_CATALOG_H
#define IMGFACTORY_RPMMD_RPM_CATALOG_H

#include "rpmmd/rpm_metadata.h"
#include "source/catalog.h"

/* Gets the metadata of all repositories for the architecture, at once, and opens their indices. */
bool rpm_catalog_open(const struct source_env *env, struct workers *workers, const struct source *source,
                      const struct arch *arch, struct catalog **ret_catalog, struct err *err) MUST_CHECK;

/* The plain metadata of one repository; filelists and modules may be NULL. */
struct rpm_catalog_texts {
    const char *primary, *filelists, *modules;
};
/* For tests, which need no repository for a solution: the same from texts, one per repository of the source, which must
 * live as long as the catalog. */
bool rpm_catalog_from_texts(const struct source *source, const struct arch *arch, const struct rpm_catalog_texts *texts,
                            struct catalog **ret_catalog, struct err *err) MUST_CHECK;

#endif
