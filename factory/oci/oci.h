/* SPDX-License-Identifier: Apache-2.0 */
/* oci.h - the JSON documents of an image: config, manifest, index (OCI image-spec 1.1: config.md, manifest.md,
 * image-index.md)
 *
 * Compact JSON, keys in a fixed order, absent instead of null; written once, the digest is over those bytes.
 * Threads: any; no state.
 * Fails with: ERR_USAGE (placeholders, text that is not UTF-8, a time outside the years 0 to 9999, a document above 4
 * MiB).
 */
#ifndef IMGFACTORY_OCI_OCI_H
#define IMGFACTORY_OCI_OCI_H

#include "oci/descriptor.h"
#include "oci/oci_base.h"
#include "plan/arch.h"
#include "plan/manifest.h"

/* The annotation of an index that names the place of its site's status record (line/status_record.h). */
#define OCI_RECORD_ANNOTATION "vnd.imgfactory.status"
#define OCI_MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"

/* A JSON document and its digest. */
struct document {
    const char *bytes; /* in the arena */
    size_t len;
    struct digest digest;
};

/* One architecture's image, ready for the index. */
struct image {
    const struct arch *arch;
    const struct oci_base *base; /* whose layers come below; NULL: made from scratch */
    struct layers layers;        /* our own */
    struct document config, manifest;
    const struct image
        *second; /* the same with its layers in zstd:chunked, which an index lists behind all others; NULL:
                                 * there is none */
};

/* Values for the {placeholders} of labels, annotations and tags. A NULL has no value: using its placeholder is
 * ERR_USAGE. */
struct oci_facts {
    const char *name, *arch;  /* image name; architecture name, NULL for an index: its annotations then leave out those
                                 that use {arch} */
    const char *package;      /* that ships the first binary */
    const char *full_version; /* its whole version, without epoch: "4.4.3-P1-2" */
    const char *version, *release; /* upstream part "4.4.3-P1"; distribution part "2" ("" when there is none) */
    const char *source_package, *source_version;
    int64_t created_time; /* {date}: YYYYMMDD of it */
    const char *record; /* of an index: where the site's status record is, for OCI_RECORD_ANNOTATION; NULL: not said */
};

/* Splits a package version: [epoch:]upstream[-release] (deb-version(7)). Strings live in the arena. */
void oci_split_version(struct arena *arena, const char *version, struct oci_facts *ret_facts);
/* Expands {name} {arch} {package} {version} {release} {full-version} {source-package} {source-version} {date} and {{
 * }}; an unknown placeholder is ERR_USAGE naming the known. */
bool oci_expand(struct arena *arena, const char *template, const struct oci_facts *facts, const char **ret_text,
                struct err *err) MUST_CHECK;
/* Makes a string a valid tag ([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}): '~', '+', ':' and others become '_'. */
const char *oci_tag_safe(struct arena *arena, const char *string);
/* Builds config and manifest of one architecture into `image` (arch and layers are given). Labels and annotations
 * created, version (full-version) and title (the image's name) are added unless the manifest gives them, and
 * description when the manifest has one; further keys org.opencontainers.image.* of either are in both. `process` is
 * what is started, the manifest's with what others gave to it and a base had (oci_base_inherit()); PATH is added to its variables unless
 * it is given. On a base its labels are inherited, and annotations name it. */
bool oci_build_image(struct arena *arena, const struct manifest *manifest, const struct manifest_config *process,
                     const struct oci_facts *facts, struct image *image, struct err *err) MUST_CHECK;
/* Builds the index over the images in the order given; zstd images have the annotation that says so. */
bool oci_build_index(struct arena *arena, const struct manifest *manifest, const struct oci_facts *facts,
                     const struct image *const *images, size_t count, struct document *ret_index,
                     struct err *err) MUST_CHECK;

#endif
