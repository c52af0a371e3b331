/* layout_read.h - an image of an OCI layout, read back: index, manifests, configs, and where the blobs are
 *
 * OCI image-spec image-layout.md. All digests and sizes of JSON documents are checked; layers are checked by whoever reads them (or by layout_image_verify()). Docker's manifest
 * list and v2s2 media types are understood, too.
 * Threads: no shared state.
 * Owns: struct layout_image holds a directory descriptor until layout_image_close().
 * Fails with: ERR_USAGE (no such layout or tag; lists the tags), ERR_TRUST (digest), ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_IMAGE_LAYOUT_READ_H
#define IMGFACTORY_IMAGE_LAYOUT_READ_H

#include "base/digest.h"
#include "base/list.h"

#include <stdint.h>

struct layout_blob {
    struct digest digest;
    uint64_t size_bytes;
    const char *media_type;
};

/* One manifest (one platform) with its parsed parts. */
struct layout_manifest {
    struct layout_blob blob;      /* the manifest itself */
    struct text bytes;
    const char *os, *architecture, *variant; /* from the index, else from the config; may be NULL */
    struct layout_blob config;
    struct text config_bytes;
    LIST(struct layout_blob) layers;
};

struct layout_image {
    const char *dir, *tag;        /* dir NULL: the documents came from elsewhere (a pull) */
    int blobs_fd;                 /* blobs/sha256, or -1 */
    bool is_index;                /* false: a single manifest, then `root` equals manifests[0].blob */
    struct layout_blob root;
    struct text root_bytes;
    LIST(struct layout_manifest) manifests; /* in the order of the index */
};

/* Opens the image under `tag` (NULL: the only one, or latest). */
bool layout_image_open(struct arena *arena, const char *dir, const char *tag, struct layout_image *ret_image,
                       struct err *err) MUST_CHECK;
/* Parses a root document (index or manifest) and its children through a reader of blobs: the common part of layout and registry. `get` returns the checked bytes of a blob. */
typedef bool layout_get(void *source, const struct layout_blob *blob, struct text *ret_bytes, struct err *err);
bool layout_image_parse(struct arena *arena, const struct layout_blob *root, struct text root_bytes, layout_get *get,
                        void *source, struct layout_image *ret_image, struct err *err) MUST_CHECK;
/* Opens one blob for reading; the caller closes *ret_fd. Size is checked, the digest not. */
bool layout_blob_open(const struct layout_image *image, const struct layout_blob *blob, int *ret_fd,
                      struct err *err) MUST_CHECK;
/* Closes. Accepts a zeroed one whose blobs_fd is -1. */
void layout_image_close(struct layout_image *image);

#endif
