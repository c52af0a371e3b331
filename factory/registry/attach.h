/* SPDX-License-Identifier: Apache-2.0 */
/* attach.h - what hangs on an image: documents as artifacts about its manifests, and signatures under a tag of their own
 *
 * A document (OCI image-spec 1.1, manifest.md, `subject`) is the only layer of a manifest whose config is the empty one
 * ({}) and whose `subject` is the index or a child; where the registry has no referrers API its descriptor, with
 * artifactType and annotations, goes into the index under the tag sha256-HEX. Signatures (cosign's older form) are layers of
 * one manifest under the tag sha256-HEX.sig, the signature itself an annotation of the layer. What others put there stays.
 * A push asks its givers what is to hang on the image, by name only; what is there is not made again, and nothing is asked of
 * the registry while a receipt (receipt.h) says that image and all of it were seen. Else: what each subject has (1 or 2
 * requests for each, side by side), what is missing made by the pushing thread, one after the other, uploaded side by side,
 * manifests, one change of each fallback tag, read back. This is before the first tag moves.
 * To attach something of your own: write a giver, and put it into `givers` of struct publication (line/publish.h).
 * Threads: blocks; requests run on threads of its own.
 * Fails with: as registry.h; what a giver or maker fails with.
 */
#ifndef IMGFACTORY_REGISTRY_ATTACH_H
#define IMGFACTORY_REGISTRY_ATTACH_H

#include "oci/layout_read.h"
#include "registry/registry.h"

#define ATTACH_DOCUMENT_MAX_BYTES ((size_t)16 << 20) /* of one document as it is sent or read */
#define ATTACH_CANDIDATES_MAX ((size_t)64)           /* of one kind and subject that are read to find one again */
#define ATTACH_EMPTY_TYPE "application/vnd.oci.empty.v1+json"

/* A document about one manifest of the image. The strings live until the push is over. */
struct attach_document {
    struct layout_blob subject; /* layout_image.root, or blob of one of its manifests */
    const char *type;           /* artifactType, and media type of the only layer */
    const struct registry_note
        *notes; /* annotations of the manifest, which indices of referrers tell, too; sorted by key */
    size_t note_count;
    struct digest identity; /* of what it says, without making it: the same says the same (receipts) */
    /* Whether a document of this type and these notes is it already: false of what cannot be read. NULL: when its bytes
     * are those that `make` makes. Called by several threads at a time. */
    bool (*is_same)(const void *context, struct text there);
    /* Which edition of it a document of this type and these notes is; 0: none. The highest counts: when that says something else, this one
     * comes as a new edition, and the entries of all others under the fallback tag go. (Where there is the referrers API they stay: who
     * may push may not delete.) Called as is_same. NULL: there are no editions. */
    uint64_t (*edition)(void *context, struct text there);
    /* Makes it, when it is missing (or is_same is NULL); an empty one: nothing is to hang there after all. Called by the pushing thread
     * alone. */
    bool (*make)(void *context, struct arena *arena, struct text *ret_document, struct err *err);
    void *context;
};

/* A signature of one manifest under its tag sha256-HEX.sig. */
struct attach_signature {
    struct digest subject;
    const char *type;    /* media type of the layer */
    const char *key;     /* of the layer's annotation that has the signature */
    struct text payload; /* what is signed: the blob */
    struct digest identity;
    bool is_passing; /* of a tag that is_passing */
    /* As above, of the annotation of a layer with this payload. */
    bool (*is_same)(const void *context, const char *there);
    bool (*make)(void *context, struct arena *arena, const char **ret_signature, struct err *err);
    void *context;
};

struct attach_list {
    LIST(struct attach_document) documents;
    LIST(struct attach_signature) signatures;
};

/* A tag that a manifest of the image has or is about to get. */
struct attach_tag {
    const char *name;
    struct digest digest;
    bool is_passing; /* this push alone makes it (a stamp): what is of it is no part of attach_identity() */
};

/* What is pushed, as a giver sees it. */
struct attach_target {
    const char *repository; /* "host/repository" as people write it */
    const struct layout_image *image;
    const struct attach_tag *tags; /* without those that are kept where they are */
    size_t tag_count;
};

/* Somebody who wants something on the image. */
struct attach_giver {
    /* Adds to the list, from the arena, which lives as long as the push. Asked once for each push, an unchanged one, too: so
     * nothing is made, signed or asked here. */
    bool (*give)(void *context, struct arena *arena, const struct attach_target *target, struct attach_list *list,
                 struct err *err);
    void *context;
};

struct attach_givers {
    const struct attach_giver *items;
    size_t count;
};

/* Names an image with all that is to hang on it; the image's own digest when that is nothing. */
struct digest attach_identity(const struct digest *root, const struct attach_list *list);
/* Returns the tag of a manifest's signatures. */
const char *attach_signature_tag(struct arena *arena, const struct digest *subject);
/* Brings what is missing; its subjects are in the repository. With `is_new` nothing of it is there most probably: then all is made at
 * once, and uploaded while the registry is asked. *ret_count: how many were missing. */
bool attach_bring(struct registry *registry, struct arena *arena, const struct attach_list *list, bool is_new,
                  size_t *ret_count, struct err *err) MUST_CHECK;
/* An artifact that an index of referrers named. */
struct attach_sought {
    struct digest name, subject;
    const char *type;
};

/* Reads its document. *ret_is_read false: it is not there, not of this type, not whole, about something else, or too big. */
bool attach_read(struct registry *registry, struct arena *arena, const struct attach_sought *sought, bool *ret_is_read,
                 struct text *ret_document, struct err *err) MUST_CHECK;

#endif
