/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_mirrors.h - a repository as one architecture sees it: its mirrors in order, and which repomd.xml they must have
 *
 * Threads: any; rpm_mirrors_get() blocks on the network.
 * Fails with: ERR_NETWORK, ERR_TRUST, ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_RPMMD_RPM_MIRRORS_H
#define IMGFACTORY_RPMMD_RPM_MIRRORS_H

#include "rpmmd/metalink.h"
#include "rpmmd/rpm_metadata.h"

/* The configuration with $basearch and $arch replaced. */
struct rpm_place {
    const struct rpm_repository *repository;
    const struct arch *arch;
    struct strings base_urls, gpg_keys;
    const char *metalink, *mirrorlist, *snapshot; /* or NULL */
    const char *identity; /* the first URL of the configuration, without user info: names the repository in the state */
};

struct rpm_mirrors {
    struct strings base_urls; /* each ending in '/', first choice first; at least one */
    struct metalink metalink; /* valid with has_metalink: its versions are the only ones that are right */
    bool has_metalink;
};

/* Replaces the variables. */
struct rpm_place rpm_place_of(struct arena *arena, const struct rpm_repository *repository, const struct arch *arch);
/* Lists the mirrors: the base URLs, then those of the metalink or else of the mirror list, which are fetched. */
bool rpm_mirrors_get(const struct source_env *env, struct arena *arena, const struct rpm_place *place,
                     struct rpm_mirrors *ret_mirrors, struct err *err) MUST_CHECK;
/* Adds the folders of this machine that a repository is in: by its own URLs, and by a list of mirrors that is a file of this
 * machine, too. A list that cannot be read, or whose own path has a variable in it, adds nothing but itself. */
void rpm_mirrors_add_local(struct arena *arena, const struct rpm_repository *repository, struct strings *paths);

#endif
