/* SPDX-License-Identifier: Apache-2.0 */
/* cargo.h - what hangs on an image, as it is: artifacts about its manifests, artifacts about those, and tags of signatures
 *
 * An artifact is a manifest whose `subject` is what it is about (OCI image-spec 1.1, manifest.md). What cosign wrote before there were
 * subjects lies under tags of the repository, sha256-HEX.sig, .att and .sbom. Bytes are never made anew: digests stay what they are.
 * What a list names and is not there, or is about something else, is told and left out; so is an index with a subject.
 * Bounds: CARGO_MAX_COUNT pieces, CARGO_DEPTH_MAX artifacts on artifacts, CARGO_BYTES_MAX of manifests (ERR_MALFORMED).
 * Threads: blocks; the source is asked by up to 12 threads at a time.
 * Owns: struct cargo owns its memory until cargo_done().
 * Fails with: ERR_MALFORMED; what the source fails with.
 */
#ifndef IMGFACTORY_OCI_CARGO_H
#define IMGFACTORY_OCI_CARGO_H

#include "base/log.h"
#include "oci/layout_read.h"

#define CARGO_MAX_COUNT ((size_t)2000)
#define CARGO_DEPTH_MAX 4u
#define CARGO_BYTES_MAX ((uint64_t)64 << 20)

struct cargo_piece {
    struct layout_blob blob;   /* the manifest */
    struct text bytes;         /* of it */
    struct digest subject;     /* what it is about */
    const char *tag;           /* it is found by: "sha256-HEX.sig"; NULL: an artifact, which says its subject itself */
    unsigned depth;            /* 0: about a manifest of the image; 1: about such an artifact … */
    struct layout_blob *blobs; /* config and layers */
    size_t blob_count;
};

struct cargo {
    LIST(struct cargo_piece) pieces; /* each behind what it is about; the order depends on their digests alone */
    LIST(struct arena) arenas;
    struct arena own;
};

/* A manifest as a source has it. */
struct cargo_document {
    bool is_found;
    struct layout_blob blob;
    struct text bytes;
};

/* Where it lies now. */
struct cargo_source {
    /* Lists what is about a manifest, as far as anybody says. */
    bool (*list)(void *context, struct arena *arena, const struct digest *subject, struct digest **ret_digests,
                 size_t *ret_count, struct err *err);
    /* Gets a manifest by digest (tag NULL), whose bytes are checked, or by tag. */
    bool (*get)(void *context, struct arena *arena, const struct digest *digest, const char *tag,
                struct cargo_document *ret_document, struct err *err);
    void *context;
    struct log *log;
    const char *name; /* of the source, for messages */
};

/* Somebody who opens blobs for reading, each with the size that its descriptor says; the caller closes them. May be called by several
 * threads at a time. */
struct cargo_blobs {
    bool (*open)(void *context, const struct layout_blob *blob, int *ret_fd, struct err *err);
    void *context;
};

/* Finds all that hangs on the image's root and on what that names. */
bool cargo_gather(const struct cargo_source *source, const struct layout_image *image, struct cargo *ret_cargo,
                  struct err *err) MUST_CHECK;
/* Finds the same in a layout that is open, for names of tags "PREFIXsha256-HEX.sig". */
bool cargo_gather_layout(const struct layout_image *image, const char *prefix, const struct lock_wait *wait,
                         struct log *log, struct cargo *ret_cargo, struct err *err) MUST_CHECK;
/* Names an image with its cargo; `image` when there is none. */
struct digest cargo_identity(const struct digest *image, const struct cargo *cargo);
/* Frees. Accepts a zeroed one. For AUTO(). */
void cargo_done(struct cargo *cargo);

#endif
