/* SPDX-License-Identifier: Apache-2.0 */
/* provenance.h - how an image was made, as a statement that others sign and verify
 *
 * in-toto Statement v1 (in-toto/attestation, spec/v1/statement.md) about the index and each platform's manifest, whose predicate is
 * SLSA provenance v1 (slsa.dev/spec/v1.0/provenance), made of the platforms' bills: manifest, recipes, options, every signed index of
 * packages and every package of the selection with their digests, the program and what compressed the layers. What our words mean
 * is on factory/sbom/provenance.md. It is a function of the bills alone: no clock, no random, no invocation; two runs that build one
 * image write one statement.
 * Threads: no state.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_SBOM_PROVENANCE_H
#define IMGFACTORY_SBOM_PROVENANCE_H

#include "sbom/sbom.h"

#define PROVENANCE_PREDICATE "https://slsa.dev/provenance/v1"
#define PROVENANCE_BUILD_TYPE "urn:imgfactory:buildtype:image:v1"
#define PROVENANCE_BUILDER "urn:imgfactory:builder:local" /* where nobody names one */
#define PROVENANCE_LAYERS "imgfactory.layers"             /* that has the plan of its layers (plan/layer_plan.h) */
#define PROVENANCE_LOCK "imgfactory.lock"                 /* the dependency that has the lock of the build in it */
#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"

/* The program that prints, for bills that it wrote itself: what a bill does not say of it. */
struct provenance_program {
    struct digest digest;    /* as bills name it (inputs.program) */
    struct strings versions; /* "NAME VERSION" of the program and its libraries */
};

struct provenance_request {
    const struct sbom_name *name;
    const struct layout_image *image;
    const struct sbom *platforms; /* gathered, with their bills; those of the image, in its order */
    size_t count;
    const char *builder;                      /* a URI, or NULL */
    const struct provenance_program *program; /* NULL: not told */
};

/* Returns the first platform without a bill, of which nothing can be said; NULL: all have one. */
const struct sbom *provenance_lacks(const struct provenance_request *request);
/* Prints the statement, one line of JSON without a newline; false when the buffer is full. */
bool provenance_print(struct arena *arena, const struct provenance_request *request, struct buf *text) MUST_CHECK;
/* Returns whether a URI can be a builder's: a scheme, and nothing that a URI cannot have (RFC 3986). */
bool provenance_is_uri(const char *uri);

#endif
