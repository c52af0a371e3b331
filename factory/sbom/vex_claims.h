/* SPDX-License-Identifier: Apache-2.0 */
/* vex_claims.h - private to sbom/: what is claimed of the packages of each platform
 *
 * Of one CVE, platform and package there is one claim. Where several say something, a maintained record wins over feeds, and of feeds
 * the worse news: affected over fixed.
 * Threads: no state.
 */
#ifndef IMGFACTORY_SBOM_VEX_CLAIMS_H
#define IMGFACTORY_SBOM_VEX_CLAIMS_H

#include "base/map.h"
#include "sbom/vex.h"

/* In the order of their weight. */
enum vex_status { VEX_FIXED, VEX_NO_COMPONENT, VEX_AFFECTED, VEX_NO_CODE };

struct vex_claim {
    const char *cve, *package;
    size_t platform; /* number in the request */
    enum vex_status status;
    const char *text; /* what is said besides */
};

struct vex_claims {
    struct arena *arena;
    LIST(struct vex_claim *) items;
    struct map known; /* by CVE, platform and package */
};

/* Adds a claim, or puts it in place of one of less weight. */
void vex_claim_add(struct vex_claims *claims, struct vex_claim claim);
/* Returns whether a word is a CVE's name: "CVE-2024-2961". */
bool vex_is_cve(const char *word);
/* Returns whether nothing of a package that was selected can be in the image, and it can be told: no base has it, no package of its
 * source gave files, and of each package that did the database says which sources are statically within (Debian Policy 7.8,
 * Built-Using, and Static-Built-Using), its own not among them. */
bool vex_is_absent(const struct sbom *sbom, const struct sbom_package *package);
/* Add what the feeds say / what the records say. */
bool vex_claim_feeds(const struct vex_request *request, struct vex_claims *claims, struct err *err) MUST_CHECK;
bool vex_claim_records(const struct vex_request *request, struct vex_claims *claims, struct err *err) MUST_CHECK;

#endif
