/* prove.h - the proof of one order's tree, and which package could give what it finds missing
 *
 * Threads: prove_tree() on a worker; prove_hint() blocks and belongs to the order's thread.
 * Fails with: ERR_RESOLVE.
 */
#ifndef IMGFACTORY_LINE_PROVE_H
#define IMGFACTORY_LINE_PROVE_H

#include "bill/product.h"
#include "proof/proof.h"
#include "source/catalog.h"

struct prove_request {
    const struct manifest *manifest;
    const struct manifest_config *config; /* with what recipes add */
    const struct arch *arch;
    const struct tree *tree;
    const struct fileset *set; /* of all packages that are open */
    struct catalog *catalog;
};

/* Checks the tree. Results live in the arena. */
void prove_tree(struct arena *arena, const struct prove_request *request, struct proof *ret_proof);
/* Gives the verdict: copies what the report tells to the product, or fails with all violations, each with the package
 * that could provide what is missing: of the selection, else of the catalog. */
bool prove_verdict(struct arena *arena, const struct prove_request *request, const struct proof *proof,
                   struct arena *product_arena, struct product *product, struct err *err) MUST_CHECK;

#endif
