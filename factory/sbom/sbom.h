/* SPDX-License-Identifier: Apache-2.0 */
/* sbom.h - what is in one platform of an image, for documents that other programs read
 *
 * Files come from the layers, merged; who gave them and what the packages are from the image's bill, or, where there is none or
 * a base lies below, from the package database in the layers. Two documents are printed of it: SPDX 2.3 and CycloneDX. They are
 * functions of the image (and of its bill) alone: no clock and no random, so that two builds of one image have one document.
 * Packages that gave no file are not in it. A source package is told in words, never as a package of its own kind, since
 * scanners would count it twice.
 * Sources of the formats: SPDX specification 2.3 (JSON schema of the tag v2.3); CycloneDX 1.6 (bom-1.6.schema.json); purl-spec
 * with its types deb, rpm and oci; what scanners make of each field was read in their sources (sbom/README.md).
 * Threads: no state.
 * Owns: a struct sbom holds the merged layers until sbom_done(); strings live in the arena given.
 */
#ifndef IMGFACTORY_SBOM_SBOM_H
#define IMGFACTORY_SBOM_SBOM_H

#include "base/sha1.h"
#include "change/side.h"

/* What the image is called, outside of its documents. */
struct sbom_name {
    const char *name;       /* its last component: "dhcpd" */
    const char *repository; /* HOST/PATH of a registry; NULL: none is known */
    const char *tag;        /* or NULL */
};

struct sbom_file {
    const char *path; /* "/usr/sbin/dhcpd" */
    struct digest sha256;
    struct sha1 sha1;
};

struct sbom_files {
    struct sbom_file *items; /* by path */
    size_t count, capacity;
};

struct sbom_package {
    const struct bill_package *from;
    const struct format *format; /* NULL: not known */
    const char *name, *version;  /* as the purl has them */
    const char *epoch;           /* where the purl has it apart and there is one; else NULL */
    const char *purl;
    const char *source_name, *source_version; /* the source package, never NULL for those that are known; else NULL */
    const char *source_purl;                  /* or NULL */
    const char *license;                      /* an SPDX expression, or NULL */
    struct sbom_files files;
    struct strings needs; /* purls of packages whose files are there because of this one's, sorted */
};

struct sbom {
    struct sbom_name image;
    const char *purl;         /* of the image */
    const char *architecture; /* as OCI calls it, "amd64" */
    struct digest manifest, config;
    struct strings diff_ids;            /* "sha256:…", the lowest first */
    const char *created;                /* "2026-07-02T19:05:00Z" */
    const char *os_id, *os_version;     /* of os-release: "debian", "12"; "" when it does not say */
    const char *os_codename;            /* "bookworm", or "" */
    LIST(struct sbom_package) packages; /* by purl, each once */
    struct sbom_files others;           /* files that no package has */
    const struct bill *bill;            /* where repositories are told; NULL: there is none */
    const char *note;                   /* what could not be read; or NULL */
    struct change_side side;            /* private: the layers */
};

struct sbom_request {
    struct store *store;
    const struct sbom_name *name;
    struct side_image image; /* its layers in the layout or in the store */
    bool is_layered;         /* the layers are wanted open, too (side.ground) */
};

/* Gathers it. Where the image has a bill that tells all of it and its files are remembered (sbom_sums.h), no byte of its layers is
 * read; else all are, once: run it where that may take its time. Fails with: as side_read_layers(). */
bool sbom_gather(struct arena *arena, const struct sbom_request *request, struct sbom *ret_sbom,
                 struct err *err) MUST_CHECK;
/* Describes a package of an image, without files. Where it says nothing of its source, that is called as it is (deb-control(5),
 * "Source"); a format that tells sources by their files has always one. */
struct sbom_package sbom_package_of(struct arena *arena, const struct sbom *sbom, const struct bill_package *from);
/* Lets go of the layers. Accepts a zeroed one. For AUTO(). */
void sbom_done(struct sbom *sbom);

/* The documents, each one line of JSON. */
enum sbom_format { SBOM_SPDX, SBOM_CYCLONEDX_1_6, SBOM_CYCLONEDX_1_5 };
/* Their names, in the order of the enum; NULL ends them. */
extern const char *const sbom_format_names[];
#define SBOM_MAX_BYTES ((size_t)512 << 20)
/* Finds a format by the name that users write: "spdx", "cyclonedx", "cyclonedx-1.5"; false for others. */
bool sbom_find_format(const char *name, enum sbom_format *ret_format) MUST_CHECK;
/* Returns how a file of the format is called behind its name: "spdx.json". */
const char *sbom_file_ending(enum sbom_format format);
/* Prints a document; false when it would have more than SBOM_MAX_BYTES. */
bool sbom_print(struct arena *arena, const struct sbom *sbom, enum sbom_format format, struct buf *text) MUST_CHECK;

#endif
