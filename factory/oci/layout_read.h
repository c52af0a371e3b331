/* SPDX-License-Identifier: Apache-2.0 */
/* layout_read.h - an image of an OCI layout, read back: index, manifests, configs, and where the blobs are
 *
 * OCI image-spec image-layout.md, image-index.md, manifest.md, descriptor.md. All digests and sizes of JSON documents
 * are checked; layers are checked by whoever reads them. Docker's manifest list and v2s2 media types are understood,
 * too. Refused: documents that can be read as index and as manifest, a mediaType that differs from the descriptor's,
 * digests other than sha256, sizes that are negative or above a cap, duplicate keys. A child of an index that is no
 * manifest (image-index.md: an unknown type MUST NOT be an error), or of a platform that was not asked for, is listed and
 * not read; a nested index is read, its children listed before it, or left out when it is not there. null for a list is
 * an empty one. The urls of foreign layers are not even read. An index.json whose descriptors have platforms and no names
 * is the image's index itself (as apko writes it).
 * Threads: no shared state.
 * Owns: struct layout_image holds a directory descriptor until layout_image_close().
 * Fails with: ERR_USAGE (no such layout or tag; lists the tags), ERR_RESOLVE (no image of that digest), ERR_TRUST (digest, size), ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_OCI_LAYOUT_READ_H
#define IMGFACTORY_OCI_LAYOUT_READ_H

#include "base/digest.h"
#include "base/list.h"
#include "io/lock.h"
#include "io/store.h"

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

struct layer_toc; /* descriptor.h */
struct platforms; /* platforms.h */

struct layout_blob {
    struct digest digest;
    uint64_t size_bytes;
    const char *media_type; /* 1 to 255 printable ASCII characters without blanks and quotes */
};

/* Which children of an index are read. */
struct layout_wanted {
    const struct platforms *platforms; /* those that serve one of these; NULL: all */
    bool is_sparse_fine;               /* what the source does not have is listed as missing, and is no error */
};

/* Why of a child of an index no config and layers are given. */
enum layout_unread {
    LAYOUT_READ,  /* it was read, and all is given */
    LAYOUT_OTHER, /* it is no manifest: a nested index, or of an unknown type; where all is wanted its bytes are given */
    LAYOUT_UNWANTED, /* its platform was not asked for */
    LAYOUT_MISSING,  /* the source does not have it */
};

/* One manifest (one platform) with its parsed parts. */
struct layout_manifest {
    struct layout_blob blob; /* the manifest itself */
    struct text bytes;
    const char *os, *architecture, *variant; /* from the index, else from the config; may be NULL */
    enum layout_unread unread;
    bool is_attestation; /* not for running: platform unknown/unknown, or annotated as buildkit does */
    struct layout_blob config;
    struct text config_bytes; /* a JSON object when the media type is that of an image's config */
    LIST(struct layout_blob) layers;
    LIST(const struct layer_toc *)
    tocs; /* of each layer, as its descriptor says; NULL: it does not; none: made here */
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

/* Returns whether a digest is the image's own or that of one of its platforms' images. */
bool layout_image_has(const struct layout_image *image, const struct digest *digest);
/* Splits "DIR[:TAG]" where the shortest path is that has a layout: names in layouts may have colons and slashes, as podman
 * writes them (docker.io/library/x:1.0). Without a layout anywhere it returns false and all is the directory. */
bool layout_split(struct arena *arena, const char *word, const char **ret_dir, const char **ret_tag);

/* Lists the layouts in a folder by their names, sorted; none when it cannot be read. */
struct strings layout_names(struct arena *arena, const char *folder);

/* Lists the tags of a layout as index.json has them; none when it cannot be read, or is being written to for longer than is
 * waited. */
struct strings layout_tags(struct arena *arena, const char *dir, const struct lock_wait *wait);

/* Which image of which layout is to be opened. */
struct layout_choice {
    const char *dir, *tag;              /* tag NULL: the only one, or latest */
    const struct lock_wait *wait;       /* for writers of the same layout; may be NULL */
    const struct layout_wanted *wanted; /* NULL: all of it */
    const char *shown;                  /* what messages call the layout; NULL: dir */
    const struct digest *digest;        /* the image that index.json lists with this one, whatever its tag; or NULL */
};

/* Opens it. */
bool layout_image_open(struct arena *arena, const struct layout_choice *choice, struct layout_image *ret_image,
                       struct err *err) MUST_CHECK;

/* A reader of documents. */
struct layout_source {
    /* Gives the bytes of a document, which live as long as the image. They are checked by layout_image_parse(). The
     * media type tells manifests (layout_is_manifest()) from configs. *ret_is_absent, false before, tells of an error
     * that the source does not have it. */
    bool (*get)(void *context, const struct layout_blob *blob, struct text *ret_bytes, bool *ret_is_absent,
                struct err *err);
    void *context;
    const struct layout_wanted *wanted; /* NULL: all of it */
};

/* Parses a root document (index or manifest) and its children through a reader of blobs: the common part of layout and
 * registry. An attestation that is not there is listed as missing where anything is chosen (`wanted`). dir and tag of the
 * result are NULL. root_bytes must live as long as the image. */
bool layout_image_parse(struct arena *arena, const struct layout_blob *root, struct text root_bytes,
                        const struct layout_source *source, struct layout_image *ret_image, struct err *err) MUST_CHECK;
/* Returns whether one of an image's manifests is the image of one before it in another compression: it has the same
 * configuration. Who lists platforms passes over it. */
bool layout_is_repeated(const struct layout_image *image, const struct layout_manifest *manifest);
/* Makes of an index of which one platform was read that platform's image: its manifest becomes the root. */
void layout_image_narrow(struct arena *arena, struct layout_image *image);
/* Returns whether a media type is one of the two of manifests / of indexes / of images' configs. */
bool layout_is_manifest(const char *media_type);
bool layout_is_index(const char *media_type);
bool layout_is_config(const char *media_type);
/* Opens one blob of a layout for reading; the caller closes *ret_fd. Size is checked, the digest not. */
bool layout_blob_open(const struct layout_image *image, const struct layout_blob *blob, int *ret_fd,
                      struct err *err) MUST_CHECK;
/* Closes. Accepts a zeroed one whose blobs_fd is -1. For AUTO(). */
void layout_image_close(struct layout_image *image);
/* Brings a blob of an opened layout into the store, its digest verified; one that is there already stays. */
bool layout_blob_keep(const struct layout_image *image, const struct layout_blob *blob, struct store *store,
                      struct err *err) MUST_CHECK;

#endif
