/* SPDX-License-Identifier: Apache-2.0 */
/* prove.h - the proof of one order's tree, and which package could give what it finds missing
 *
 * Threads: prove_tree() on a worker; prove_verdict() blocks (file indices) and belongs to the order's thread.
 * Owns: nothing; results live in the arena given.
 * Fails with: ERR_RESOLVE.
 */
#ifndef IMGFACTORY_PROOF_PROVE_H
#define IMGFACTORY_PROOF_PROVE_H

#include "proof/proof.h"
#include "source/catalog.h"

struct prove_request {
    const struct manifest *manifest;
    const struct manifest_config *config; /* what the image starts, with all variables */
    const struct arch *arch;
    const struct tree *tree;
    const struct fileset *set; /* of all packages that are open */
    const struct map *spare;   /* paths of files that need not be loadable */
    const struct interpreters *interpreters;
    struct catalog *catalog;
};

/* Checks the tree. */
void prove_tree(struct arena *arena, const struct prove_request *request, struct proof *ret_proof);
/* Fails with all violations of the proof, if there are any, each with the package that could provide what is missing: of
 * the selection, else of the catalog. */
bool prove_verdict(struct arena *arena, const struct prove_request *request, const struct proof *proof,
                   struct err *err) MUST_CHECK;

#endif
