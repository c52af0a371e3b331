/* SPDX-License-Identifier: Apache-2.0 */
/* attest.h - SBOM, provenance and VEX of an image, attached when it is pushed (registry/attach.h)
 *
 * With keys each is a statement in a bundle by each of them, as signatures are (sign/sign_image.h); without, the SBOM is a plain SPDX
 * document and the others are plain statements, which prove nothing. The provenance hangs on the index and each platform, as does
 * the VEX document; of SBOMs each platform has its own, and the index that of the first, since scanners take one from there.
 * Nothing is made while it hangs there: an SBOM or a provenance of the same image by the same builder (and key) stays, whatever a
 * later program would say of it, and so does a VEX document of the same data. One that claims nothing is not attached.
 * Threads: as registry/attach.h.
 * Owns: nothing; a struct attest and all that it names live until the push is over.
 * Fails with: as sbom.h, vex.h; ERR_RESOLVE (no bill for the provenance); ERR_MALFORMED (bigger than documents may be).
 */
#ifndef IMGFACTORY_SBOM_ATTEST_H
#define IMGFACTORY_SBOM_ATTEST_H

#include "registry/attach.h"
#include "sbom/provenance.h"
#include "sbom/vex.h"
#include "sign/signer.h"

enum attest_kind {
    ATTEST_SBOM = 1 << 0, /* SPDX */
    ATTEST_PROVENANCE = 1 << 1,
    ATTEST_VEX = 1 << 2,
    ATTEST_CYCLONEDX = 1 << 3, /* an SBOM in that form */
    ATTEST_RESULT = 1 << 4
};

/* That the image was made again: in-toto's simple verification result (in-toto/attestation, spec/predicates/svr.md). It hangs on the index
 * and each platform. */
struct attest_result {
    const char *verifier; /* a URI */
    const char *property; /* as told.h has it */
    const char *time;     /* RFC 3339 */
};

/* What is attached to what is pushed. */
struct attest {
    unsigned kinds; /* of enum attest_kind */
    struct store *store;
    const struct signers *signers; /* NULL: nothing is signed */
    const char *builder;           /* as provenance_request */
    const struct provenance_program *program;
    const struct vex_data *data;        /* for ATTEST_VEX */
    const struct attest_result *result; /* for ATTEST_RESULT, which no word of users means */
};

/* The words of users, in the order of the bits; NULL ends them. */
extern const char *const attest_words[];
/* Reads them: ERR_USAGE with `what` ("--attest") for others. */
bool attest_read(struct arena *arena, const char *what, const struct strings *words, unsigned *ret_kinds,
                 struct err *err) MUST_CHECK;
/* The giver's function; its context is a const struct attest. */
bool attest_give(void *attest, struct arena *arena, const struct attach_target *target, struct attach_list *list,
                 struct err *err) MUST_CHECK;

#endif
