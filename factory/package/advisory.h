/* SPDX-License-Identifier: Apache-2.0 */
/* advisory.h - advisories that a repository has of packages: what an update is for
 *
 * The package format reads them out of the repository's own metadata (format.h: advisories), those alone that are of packages
 * asked for.
 * Threads: no state.
 * Owns: nothing; all lives in the arena given. Texts are of others, to be cleaned by whoever prints them.
 */
#ifndef IMGFACTORY_PACKAGE_ADVISORY_H
#define IMGFACTORY_PACKAGE_ADVISORY_H

#include "base/digest.h"
#include "base/map.h"

struct http;
struct store;

#define ADVISORIES_MAX 1000u                       /* of one repository */
#define ADVISORY_PACKAGES_MAX 2000000u             /* of all advisories of one repository */
#define ADVISORY_REFERENCES_MAX 200u               /* of one advisory */
#define ADVISORIES_MAX_BYTES ((uint64_t)256 << 20) /* of the file, unpacked */

/* A package that went from one version to another. */
struct advisory_package {
    const char *name, *before, *after; /* [EPOCH:]VERSION-RELEASE */
};

struct advisory {
    const char *id, *kind;                 /* "RHSA-2024:1234", "security" */
    const char *severity, *title, *issued; /* may be NULL; the date as it stands there */
    struct strings packages;               /* of those asked for */
    struct strings references;             /* ids: CVEs, bugs */
};

struct advisories {
    struct advisory *items;
    size_t count, capacity;
};

struct advisory_request {
    struct store *store;
    struct http *http;        /* NULL: nothing is fetched */
    const char *uri;          /* of the repository */
    struct digest metadata;   /* of its signed index, by which the cache has it */
    const struct map *wanted; /* name → struct advisory_package */
};

#endif
