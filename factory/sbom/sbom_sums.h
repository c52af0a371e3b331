/* SPDX-License-Identifier: Apache-2.0 */
/* sbom_sums.h - what an SBOM needs of an image's files, remembered: paths, SHA-256, SHA-1, the distribution's name
 *
 * Reading it takes all bytes of the image; it is a function of the layers. It is kept as derived/sums of the store, under a key of the
 * layers' digests and diff_ids (as the merged file system is, ground/ground.h), by whoever has the bytes in hand: the one who packs
 * a layer, or the first SBOM. The store believes no derived file that it did not make (io/store.h), and of a manifest that puts
 * foreign diff_ids beside its layers there is none.
 * Form: a version, ID, VERSION_ID and VERSION_CODENAME of os-release, each with a NUL; then for each file, symlink and hard link, sorted by path: a byte
 * for its kind, 32 bytes of SHA-256 and 20 of SHA-1 (zeros for a symlink), its path with a NUL.
 * Threads: no state.
 * Fails with: nothing; what is not known is read.
 */
#ifndef IMGFACTORY_SBOM_SBOM_SUMS_H
#define IMGFACTORY_SBOM_SBOM_SUMS_H

#include "base/sha1.h"
#include "oci/oci_base.h"
#include "tree/tree.h"

struct sbom_sum {
    const char *path;
    enum node_kind kind; /* NODE_FILE, NODE_SYMLINK, NODE_HARDLINK */
    struct digest sha256;
    struct sha1 sha1; /* of a hard link those of its file */
};

struct sbom_sums {
    const char *os_id, *os_version, *os_codename; /* "" where os-release does not say */
    LIST(struct sbom_sum) files;                  /* by path */
};

/* SHA-1 of contents that were summed up before, so that images that have a file in common read it once. Any thread may use it. */
struct sbom_seen;
/* Opens an empty one. */
struct sbom_seen *sbom_seen_open(void);
/* Frees it. NULL is fine. */
void sbom_seen_close(struct sbom_seen *seen);

/* Sums up the one layer that a tree was packed as; reads all its files, so run it on a worker. Of a tree whose os-release is no file and
 * no plain link nothing is kept: false. Digests of files that packages gave are taken as they are: packing checks them. */
bool sbom_sums_of_tree(struct arena *arena, const struct tree *tree, struct sbom_seen *seen,
                       struct sbom_sums *ret_sums) MUST_CHECK;
/* Takes what os-release's text says (empty: nothing). */
void sbom_sums_name(struct arena *arena, struct text os_release, struct sbom_sums *sums);
/* Keeps them for these layers. */
void sbom_sums_keep(struct store *store, const struct base_layers *layers, const struct sbom_sums *sums);
/* Finds them; strings live in the arena. False: not there, or no longer readable. */
bool sbom_sums_find(struct arena *arena, struct store *store, const struct base_layers *layers,
                    struct sbom_sums *ret_sums) MUST_CHECK;

#endif
