/* SPDX-License-Identifier: Apache-2.0 */
/* vex.h - which CVEs an image has, and which it has not, as far as a machine can conclude it from data that it is given
 *
 * OpenVEX 0.2.0 (openvex/spec, OPENVEX-SPEC.md). One statement for each CVE and status, about the index and each platform
 * (pkg:oci/NAME@sha256:…, without qualifiers) and packages in it (pkg:deb/debian/NAME, without version and qualifiers): the one form
 * that trivy and grype both match (openvex/go-vex, pkg/vex). A product never stands without packages, since it would hide the CVE
 * in all of them. For no package of a product two statements say something of one CVE. What holds for all platforms that have the
 * package is said of the index, too. What is claimed, and out of what, is told by vex_tell(); all else is not claimed.
 * The document is a function of image, bills and data: its time is the image's, its name a digest of its contents.
 * Threads: no state.
 * Owns: nothing; strings live in the arena given.
 */
#ifndef IMGFACTORY_SBOM_VEX_H
#define IMGFACTORY_SBOM_VEX_H

#include "base/map.h"
#include "plan/data_folder.h"
#include "sbom/sbom.h"

#include <jansson.h>

#define VEX_PREDICATE "https://openvex.dev/ns" /* as cosign calls it; trivy takes it, too */
#define VEX_CONTEXT "https://openvex.dev/ns/v0.2.0"
#define VEX_MAX_BYTES ((size_t)16 << 20)         /* of a document */
#define VEX_FEED_MAX_BYTES ((uint64_t)512 << 20) /* of a feed, unpacked */
#define VEX_VALUES_MAX ((size_t)2 << 20)         /* of what is parsed at once: an OSV file, a source package */
#define VEX_CLAIMS_MAX ((size_t)200000)          /* of one document */

enum vex_feed_kind { VEX_DEBIAN, VEX_OSV, VEX_UPDATEINFO };

/* A file that says which versions have a CVE. */
struct vex_feed {
    const char *name; /* for messages */
    enum vex_feed_kind kind;
    json_t *json;       /* VEX_OSV; the caller's to free (vex_feed_done()) */
    struct text bytes;  /* borrowed */
    struct map members; /* VEX_DEBIAN: a struct text by the name of the source package */
};

/* A maintained claim: where the defective code of a package is. */
struct vex_record {
    struct strings cves, packages; /* names of binary packages */
    struct strings paths;          /* globs of canonical paths; none of them in the image: the code is not there */
    struct strings symbols;        /* exported ones: no file of the image defines one of them */
    struct strings distributions;  /* IDs of os-release where it holds; none: everywhere */
    const char *from;              /* who says so: a URL or words */
};

struct vex_data {
    LIST(struct vex_feed) feeds;
    LIST(struct vex_record) records;
    struct digest digest; /* of all that was read (vex_data_seal()) */
};

struct vex_request {
    const struct sbom_name *name;
    const struct layout_image *image;
    struct sbom *platforms; /* gathered with their layers */
    size_t count;
    const struct vex_data *data;
    const char *author; /* NULL: the program */
    uint64_t formers;   /* editions that were before */
};

/* Takes a feed, by what it says: Debian's tracker (JSON), OSV (an object, a list, or {"vulns": []}), updateinfo.xml. The bytes are
 * unpacked ones. Fails with: ERR_MALFORMED. */
bool vex_feed_take(struct arena *arena, const char *name, struct text bytes, struct vex_feed *ret_feed,
                   struct err *err) MUST_CHECK;
void vex_feed_done(struct vex_feed *feed);
/* Reads the maintained claims of a folder (manifests/vex). Fails with: ERR_USAGE, "FILE:LINE:COLUMN: …". */
bool vex_records_read(struct arena *arena, const struct data_folder *folder, struct vex_data *data,
                      struct err *err) MUST_CHECK;
/* Names the data, once all are there; `records` is the digest of the folder. */
void vex_data_seal(struct vex_data *data, const struct digest *records);
/* Returns the `@id` of the documents of an author (NULL: the program) about an image: of several the one with the highest `version`
 * counts (OpenVEX 0.2.0). */
const char *vex_id(struct arena *arena, const struct digest *image, const char *author);
/* Returns their `tooling`, by which it is known what one was made of. */
const char *vex_tooling(struct arena *arena, const struct vex_data *data);
/* Prints the document, one line of JSON without a newline. Fails with: ERR_MALFORMED (a feed; more than VEX_CLAIMS_MAX or
 * VEX_MAX_BYTES), as ground.h. *ret_count: its statements. */
bool vex_print(struct arena *arena, const struct vex_request *request, struct buf *text, size_t *ret_count,
               struct err *err) MUST_CHECK;

#endif
