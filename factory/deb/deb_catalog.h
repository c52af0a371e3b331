/* SPDX-License-Identifier: Apache-2.0 */
/* deb_catalog.h - the catalog of a Debian source
 *
 * Packages files become compact mapped indices (deb_index.h), Contents files compact path indices (contents.h), both
 * kept in the store by the SHA-256 of their input.
 * Threads, Owns, Fails with: as catalog.h.
 */
#ifndef IMGFACTORY_DEB_DEB_CATALOG_H
#define IMGFACTORY_DEB_DEB_CATALOG_H

#include "deb/release.h"
#include "source/catalog.h"

/* A source's verified Releases, shared by all architectures. Frozen. */
struct releases {
    const struct source *source;
    struct release **items;
    size_t count;
    struct strings trusted;  /* names of repositories taken without a signature */
    struct strings left_out; /* names of optional repositories that could not be reached */
    LIST(struct pin) absent; /* what a lock says of them */
};

/* Gets all Releases of a source, at once. Results live in the arena. Fails with the first required repository's error;
 * when all were left out: ERR_NETWORK. */
bool releases_get(const struct source_env *env, struct arena *arena, const struct source *source,
                  struct releases **ret_releases, struct err *err) MUST_CHECK;
/* Finds the indices of one architecture (binary-ARCH, and binary-all where the Release has it apart), which
 * catalog_prepare() then opens. Repositories that
 * do not offer it are passed over with a verbose log line; when none offers it: ERR_RESOLVE listing what they offer. */
bool deb_catalog_open(const struct source_env *env, struct workers *workers, const struct releases *releases,
                      const struct arch *arch, struct catalog **ret_catalog, struct err *err) MUST_CHECK;
/* For tests, which need no repository for a solution: a catalog over Packages texts, one per Release in order, without
 * store, network and Contents. */
bool deb_catalog_from_texts(const struct releases *releases, const struct arch *arch, const char *const *packages,
                            struct catalog **ret_catalog, struct err *err) MUST_CHECK;

#endif
