/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_wanted.h - the words of a request as dnf install understands them: which packages each may stand for
 *
 * A word is, in this order: one of the forms of rpm_pattern.h, NAME=VERSION, what packages provide (with a relation:
 * "NAME >= VERSION", also in brackets; a glob), a path that packages ship. A plain name may stand for what obsoletes its newest
 * version, as with dnf since 4.18 (and dnf5). libsolv then chooses one of each group: of all that a word means, or where it is
 * a glob one of each name.
 * Threads: the caller holds the catalog's lock.
 * Fails with: ERR_RESOLVE.
 */
#ifndef IMGFACTORY_RPMMD_RPM_WANTED_H
#define IMGFACTORY_RPMMD_RPM_WANTED_H

#include "rpmmd/rpm_catalog_parts.h"

/* A package that obsoletes what has a name. */
struct rpm_obsoleting {
    Id name, relation, package;
};

/* The words of one request; zero-initialise with .pool and .arena set. */
struct rpm_wanting {
    Pool *pool;
    struct arena *arena;
    LIST(struct rpm_obsoleting) obsoletings; /* private: by name, listed for the first word that asks */
    bool has_obsoletings;
};

/* Adds the packages that a word may stand for, in groups with a 0 behind each. `owners` are the names of packages that ship the
 * word, when it is a path. */
void rpm_wanted_find(struct rpm_wanting *wanting, const char *word, const struct strings *owners, Queue *groups);
/* Adds the offered packages of a name, of a version of it if that is not NULL: "VERSION", "VERSION-RELEASE", either with an
 * epoch. */
void rpm_wanted_named(Pool *pool, struct text name, const char *version, Queue *ids);
/* Says why a word means nothing, as far as more is known than that: it is of another architecture, left out by the
 * configuration, or there are other versions. False with the error then. */
bool rpm_wanted_check(const struct rpm_catalog *catalog, const char *word, struct err *err) MUST_CHECK;

#endif
