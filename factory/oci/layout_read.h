/* layout_read.h - an image of an OCI layout, read back: index, manifests, configs, and where the blobs are
 *
 * OCI image-spec image-layout.md, image-index.md, manifest.md, descriptor.md. All digests and sizes of JSON documents
 * are checked; layers are checked by whoever reads them. Docker's manifest list and v2s2 media types are understood,
 * too. Refused: documents that can be read as index and as manifest, a mediaType that differs from the descriptor's,
 * digests other than sha256, sizes that are negative or above a cap, duplicate keys. A child of an index that is no
 * manifest (image-index.md: an unknown type MUST NOT be an error) is listed and not read; null for a list is an empty
 * one. The urls of foreign layers are not even read.
 * Threads: no shared state.
 * Owns: struct layout_image holds a directory descriptor until layout_image_close().
 * Fails with: ERR_USAGE (no such layout or tag; lists the tags), ERR_TRUST (digest, size), ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_OCI_LAYOUT_READ_H
#define IMGFACTORY_OCI_LAYOUT_READ_H

#include "base/digest.h"
#include "base/list.h"
#include "io/lock.h"

#include <stdint.h>

#define LAYOUT_MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define LAYOUT_MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define LAYOUT_MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"

/* Limits: of one JSON document (clients take no bigger ones either), of all documents of an image, of a layer. */
#define LAYOUT_DOCUMENT_MAX_BYTES ((size_t)4 << 20)
#define LAYOUT_DOCUMENTS_MAX_BYTES ((uint64_t)64 << 20)
#define LAYOUT_LAYER_MAX_BYTES ((uint64_t)64 << 30)
#define LAYOUT_MANIFESTS_MAX_COUNT 512
#define LAYOUT_LAYERS_MAX_COUNT 512

struct layout_blob {
    struct digest digest;
    uint64_t size_bytes;
    const char *media_type; /* 1 to 255 printable ASCII characters without blanks and quotes */
};

/* One manifest (one platform) with its parsed parts. */
struct layout_manifest {
    struct layout_blob blob; /* the manifest itself */
    struct text bytes;
    const char *os, *architecture, *variant; /* from the index, else from the config; may be NULL */
    bool is_other; /* a child that is no manifest (a nested index, an unknown type): only blob and platform are given */
    bool is_attestation; /* not for running: platform unknown/unknown, or annotated as buildkit does */
    struct layout_blob config;
    struct text config_bytes; /* a JSON object when the media type is that of an image's config */
    LIST(struct layout_blob) layers;
};

struct layout_image {
    const char *dir, *tag; /* dir NULL: the documents came from elsewhere (a pull); tag NULL: it has none */
    struct strings tags;   /* all tags of the layout that stand for this image */
    int blobs_fd;          /* blobs/sha256, or -1 */
    bool is_index;         /* false: a single manifest, then `root` equals manifests[0].blob */
    struct layout_blob root;
    struct text root_bytes;
    LIST(struct layout_manifest) manifests; /* in the order of the index */
};

/* Opens the image under `tag` (NULL: the only one, or latest). Writers of the same layout are waited for, as `wait`
 * (may be NULL) says. */
bool layout_image_open(struct arena *arena, const char *dir, const char *tag, const struct lock_wait *wait,
                       struct layout_image *ret_image, struct err *err) MUST_CHECK;
/* Gives the bytes of a document, which live as long as the image. They are checked by layout_image_parse(). The media
 * type tells manifests (layout_is_manifest()) from configs. */
typedef bool layout_get(void *source, const struct layout_blob *blob, struct text *ret_bytes, struct err *err);
/* Parses a root document (index or manifest) and its children through a reader of blobs: the common part of layout and
 * registry. dir and tag of the result are NULL. root_bytes must live as long as the image. */
bool layout_image_parse(struct arena *arena, const struct layout_blob *root, struct text root_bytes, layout_get *get,
                        void *source, struct layout_image *ret_image, struct err *err) MUST_CHECK;
/* Returns whether a media type is one of the two of manifests / of indexes / of images' configs. */
bool layout_is_manifest(const char *media_type);
bool layout_is_index(const char *media_type);
bool layout_is_config(const char *media_type);
/* Opens one blob of a layout for reading; the caller closes *ret_fd. Size is checked, the digest not. */
bool layout_blob_open(const struct layout_image *image, const struct layout_blob *blob, int *ret_fd,
                      struct err *err) MUST_CHECK;
/* Closes. Accepts a zeroed one whose blobs_fd is -1. For AUTO(). */
void layout_image_close(struct layout_image *image);

#endif
