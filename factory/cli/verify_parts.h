/* SPDX-License-Identifier: Apache-2.0 */
/* verify_parts.h - an image while it is verified; private to cli/verify*.c
 *
 * Threads: main only, but for `verdict`s while signatures are looked for.
 * Owns: what is said lives in the remote's arena, what is found in the verdicts'.
 */
#ifndef IMGFACTORY_CLI_VERIFY_PARTS_H
#define IMGFACTORY_CLI_VERIFY_PARTS_H

#include "cli/verify.h"
#include "sbom/told.h"

#include <jansson.h>

struct rebuild_plan; /* rebuild_parts.h */

/* One manifest of the image. */
struct verify_verdict {
    const struct digest *digest;
    const struct layout_manifest *manifest; /* NULL: the index */
    const char *platform;                   /* "index", "linux/arm64" */
    struct arena arena;
    struct found found;
    const char *why; /* it does not hold; NULL: it does */
};

/* A platform whose layers were read. */
struct verify_layers {
    const struct verify_verdict *of;
    size_t file_count;
    const char *why; /* they are not what the manifest says; NULL: they are */
    enum err_kind kind;
};

/* A document, held against the image. */
struct verify_held {
    const char *kind; /* "SBOM", "provenance", "VEX document", "bill", "rebuild result", or the predicate's type */
    const struct found_document *document; /* NULL: the bill */
    struct strings about;                  /* platforms that it hangs on, or is about */
    bool is_counted;                       /* by a key that was given, or none was */
    bool is_held;                          /* there is a way to hold it against the image, and it was */
    const char *says;                      /* what holds; NULL: nothing */
    const char *why;                       /* what does not; NULL: nothing */
    bool is_identical;                     /* of a result: it was made again, and came out the very same */
    struct told_sbom sbom;                 /* of an SBOM, a bill */
    struct told_provenance provenance;     /* of a provenance */
};

struct verifying {
    const struct verify *verify;
    struct remote *remote;
    const struct layout_image *image;
    struct registry *registry; /* NULL: a layout */
    struct found_wish wish;
    _Atomic uint64_t room;
    struct verify_verdict *items;
    size_t count;
    LIST(struct verify_layers) layers;
    LIST(struct verify_held) held;
    struct strings unverified; /* sentences */
    size_t result_count;       /* distinct keys by which it was made again and came out the very same */
};

/* Holds the documents that were found, and the bill of a layout, against the image: fetches the layers that they tell of. */
bool verify_hold(struct verifying *verifying, struct image_opener *opener, struct err *err) MUST_CHECK;
/* Tells for people / as JSON; `err` is the outcome. */
void verify_print(struct verifying *verifying);
void verify_print_json(struct verifying *verifying, const struct err *err);
/* The same, to be added to and printed; the caller's. */
json_t *verify_json(struct verifying *verifying, const struct err *err);
/* Says how the image can be made again, by what was found. */
void verify_plan(const struct verifying *verifying, struct rebuild_plan *plan);
/* What a key is called. */
const char *verify_key_name(const struct verifying *verifying, size_t key);

#endif
