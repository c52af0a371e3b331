/* catalog.h - all package indices of one source for one architecture: what packages there are, and who ships a path
 *
 * Packages files become compact mapped indices (deb_index.h), Contents files compact path indices (contents.h), both
 * kept in the store by the SHA-256 of their input.
 * Threads: catalog_open() and catalog_owners() block and are called on coordinating threads (they hand their computing
 * to the workers); an open catalog is const for all threads.
 * Owns: the mappings, until catalog_close().
 * Fails with: as release.h; ERR_RESOLVE when no repository offers the architecture.
 */
#ifndef IMGFACTORY_SOURCE_CATALOG_H
#define IMGFACTORY_SOURCE_CATALOG_H

#include "base/workers.h"
#include "plan/arch.h"
#include "source/release.h"

struct catalog;

/* A source's verified Releases, shared by all architectures. Frozen. */
struct releases {
    const struct source *source;
    struct release **items;
    size_t count;
    struct strings trusted;  /* names of repositories taken without a signature */
    struct strings left_out; /* names of optional repositories that could not be reached */
};

/* Gets all Releases of a source, at once. Results live in the arena. Fails with the first required repository's error;
 * when all were left out: ERR_NETWORK. */
bool releases_get(const struct source_env *env, struct arena *arena, const struct source *source,
                  struct releases **ret_releases, struct err *err) MUST_CHECK;
/* Opens the indices of one architecture (binary-ARCH, and binary-all where the Release has it apart). Repositories that
 * do not offer it are passed over with a verbose log line; when none offers it: ERR_RESOLVE listing what they offer. */
bool catalog_open(const struct source_env *env, struct workers *workers, const struct releases *releases,
                  const struct arch *arch, struct catalog **ret_catalog, struct err *err) MUST_CHECK;
/* For tests: a catalog over Packages texts, one per Release in order, without store, network and Contents. */
bool catalog_from_texts(const struct releases *releases, const struct arch *arch, const char *const *packages,
                        struct catalog **ret_catalog, struct err *err) MUST_CHECK;
/* Finds the packages that ship an absolute path ('/bin/x' and '/usr/bin/x' are one), sorted by name, each once. Loads
 * the Contents files at the first call (once, other callers wait). None: ret_names is empty and *ret_hint (may be NULL)
 * names where a file of that name is
 * ("/usr/sbin/dhcpd is in isc-dhcp-server"), if any. Packages that no index of the catalog offers are left out. No
 * Contents in any repository: ERR_RESOLVE that tells about `packages: first`. */
bool catalog_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                    const char **ret_hint, struct err *err) MUST_CHECK;
/* Returns whether a package of that name (or, with is_virtual_fine, a provider) exists. */
bool catalog_has(const struct catalog *catalog, const char *name, bool is_virtual_fine);
/* Digest over the indices of this catalog in order: names the input of a selection. */
const struct digest *catalog_digest(const struct catalog *catalog);
/* Returns the architecture / the Releases it was opened for. */
const struct arch *catalog_arch(const struct catalog *catalog);
const struct releases *catalog_releases(const struct catalog *catalog);
/* Closes it. NULL is fine. */
void catalog_close(struct catalog *catalog);

#endif
