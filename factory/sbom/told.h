/* SPDX-License-Identifier: Apache-2.0 */
/* told.h - what a document that hangs on an image says of it: an SBOM (SPDX 2.x or CycloneDX, JSON) or a provenance (SLSA v1)
 *
 * Documents come from anywhere; of ours and of others' that is read which can be held against an image (hold.h). What is no
 * document of its kind, or has more values than TOLD_VALUES_MAX, is refused with a reason.
 * Threads: no state.
 * Owns: nothing; all lives in the arena given.
 */
#ifndef IMGFACTORY_SBOM_TOLD_H
#define IMGFACTORY_SBOM_TOLD_H

#include "base/digest.h"
#include "base/list.h"
#include "base/text.h"
#include "bill/bill.h"

#define TOLD_VALUES_MAX ((size_t)2 << 20) /* commas and brackets: bounds the memory of the parser */
#define TOLD_RESULT_PREDICATE "https://in-toto.io/attestation/svr/v0.2"
#define TOLD_IDENTICAL "IMGFACTORY_REBUILT_IDENTICAL"
#define TOLD_SAME_CONTENT "IMGFACTORY_REBUILT_SAME_CONTENT"
#define TOLD_SPDX_PREDICATE "https://spdx.dev/Document"
#define TOLD_SPDX_TYPE "application/spdx+json"
#define TOLD_CYCLONEDX_PREDICATE "https://cyclonedx.org/bom"
#define TOLD_CYCLONEDX_TYPE "application/vnd.cyclonedx+json"

struct told_file {
    const char *path; /* "/usr/sbin/dhcpd" */
    struct digest sha256;
    bool has_sha256;
    const char *package; /* "NAME VERSION"; NULL: of none */
};

struct told_package {
    const char *name, *version; /* of a provenance both are the purl's */
    const char *purl;           /* or NULL */
    struct digest digest;       /* of its file; zeros: not said */
    bool has_given;             /* of a provenance: files of it are in the image */
};

/* An SBOM. */
struct told_sbom {
    bool is_whole;     /* it claims to have every file: made by imgfactory */
    bool has_manifest; /* it says which manifest it is about: */
    struct digest manifest;
    LIST(struct told_file) files; /* by path */
    LIST(struct told_package) packages;
};

struct told_repository {
    const char *name;
    struct digest digest;  /* of its signed index */
    const char *signed_by; /* or NULL */
};

/* What was chosen when an image was made; each NULL where it is not said. */
struct told_made {
    const char *image;         /* what the manifest is called */
    const char *named;         /* how a name was taken that is no manifest's */
    const char *architectures; /* of orders, with commas */
    const char *source;        /* "host", or the name of a source file */
    const char *compression, *layers, *encoder, *options, *source_date_epoch;
    const char *base; /* what it stands on: what the base is called, which is an image's name if the same run made it */
};

struct told_provenance {
    bool is_ours; /* our build type: what follows is known */
    const char *builder;
    struct told_made made;
    LIST(struct digest) subjects;
    LIST(struct told_package) packages;
    LIST(struct told_repository) repositories;
    struct text lock;       /* the lock file of the build; empty: it has none */
    struct text layer_plan; /* and the plan of its layers */
};

/* Tells what a bill says: with a base below, not of every file. */
void told_of_bill(struct arena *arena, const struct bill *bill, struct told_sbom *ret_told);
/* Returns the `version` of the VEX document in a statement, when its `@id` is this one, or of a former form of it (with ':' behind it)
 * and its author the program; 0: it is another one, or has none that counts. */
uint64_t told_vex_edition(struct text statement, const char *id);
/* Reads an SBOM document. False: *ret_why says what is wrong with it. */
bool told_read_sbom(struct arena *arena, struct text document, struct told_sbom *ret_told,
                    const char **ret_why) MUST_CHECK;
/* The same of the predicate of a statement. */
bool told_read_sbom_statement(struct arena *arena, struct text statement, struct told_sbom *ret_told,
                              const char **ret_why) MUST_CHECK;
/* That somebody made an image again (in-toto's simple verification result). */
struct told_result {
    const char *verifier;
    bool is_identical, is_same_content;
    LIST(struct digest) subjects;
};

/* Reads such a statement. */
bool told_read_result(struct arena *arena, struct text statement, struct told_result *ret_told,
                      const char **ret_why) MUST_CHECK;
/* Reads a statement with SLSA's predicate. */
bool told_read_provenance(struct arena *arena, struct text statement, struct told_provenance *ret_told,
                          const char **ret_why) MUST_CHECK;

#endif
