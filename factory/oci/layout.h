/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - an OCI image layout on disk (OCI image-spec image-layout.md)
 *
 * DIR/oci-layout, DIR/index.json, DIR/blobs/sha256/<hex>. Written so that a reader, or a kill at any instant, sees the
 * old or the new image: blobs first (temporary name, fsync, rename), directories synced, index.json replaced last.
 * Other tags of an existing layout are kept; a lock file (DIR/.lock, 0600, flock) orders writers. Blobs that only the
 * replaced tags needed are removed afterwards. A document about one manifest that no client shall meet (a bill) lies
 * beside, in DIR/imgfactory/sha256-<hex of the manifest>.json; it comes before index.json and goes with the manifest's
 * blob.
 * Threads: any; one call per layout at a time.
 * Fails with: ERR_LOCAL; ERR_CANCELLED while waiting; ERR_MALFORMED for an existing index.json that cannot be read (it
 * is left alone); ERR_USAGE when a tag would lose platforms.
 */
#ifndef IMGFACTORY_OCI_LAYOUT_H
#define IMGFACTORY_OCI_LAYOUT_H

#include "io/lock.h"
#include "io/store.h"
#include "oci/cargo.h"
#include "oci/layout_read.h"
#include "oci/oci.h"
#include "oci/platforms.h"

#define LAYOUT_BESIDE_DIR "imgfactory"

/* A document beside the image. */
struct layout_beside {
    struct digest about; /* the manifest that it tells of, which names its file */
    struct text bytes;
};

struct layout_request {
    const char *dir;     /* the layout: "out/dhcpd" */
    struct store *store; /* holds the layers */
    bool
        may_lack_layers; /* those that the store does not have stay where they are; readers live with that (layout_read.h) */
    const struct image *const *images;
    size_t image_count;
    const struct document *index;
    const char *name;                /* for tools that name what they load: "quay.io/me/dhcpd"; NULL: none */
    const struct strings *tags;      /* each gets a descriptor of the index with org.opencontainers.image.ref.name */
    const struct lock_wait *wait;    /* how other writers are waited for; may be NULL */
    struct arena *arena;             /* of *ret_loss */
    struct platforms_loss *ret_loss; /* set: a tag that is at an image with platforms which this one lacks is not moved,
                                      * nor any other: ERR_USAGE, and this tells what was missing */
    const struct layout_beside *beside; /* whether they were there already has no part in "unchanged" */
    size_t beside_count;
};

/* Writes (or finds unchanged: every tag has that digest and all blobs are there with the right bytes) the layout. */
bool layout_write(const struct layout_request *request, bool *ret_is_unchanged, struct err *err) MUST_CHECK;

/* Returns where the document about a manifest lies, or would. */
const char *layout_beside_path(struct arena *arena, const char *dir, const struct digest *about);
/* Reads it, whoever wrote it; the caller calls buf_done(). False when it is no regular file (links are not followed) of
 * at most cap_bytes. */
bool layout_read_beside(const char *dir, const struct digest *about, size_t cap_bytes,
                        struct buf *ret_bytes) MUST_CHECK;

/* Returns the index.json of a layout that has that image alone: under a tag (NULL: none), with the whole name by which
 * podman load and ctr import call it (NULL: none). */
struct text layout_index_of(struct arena *arena, const struct layout_blob *root, const char *tag, const char *name);

/* An image that was made elsewhere (pulled): its documents are in `image`, its layers in the store. */
struct layout_import_request {
    const char *dir;
    struct store *store;
    const struct layout_image *image;
    const char *name;             /* as above */
    const struct strings *tags;   /* each gets a descriptor of the image's root document; none: that has no tag */
    const struct lock_wait *wait; /* as above */
    const struct cargo *cargo;    /* what hangs on it, its blobs in the store; NULL: nothing */
    const char *prefix;           /* of names in index.json of the cargo's tags; NULL: none */
};

/* As layout_write(), with the documents' bytes as they are. */
bool layout_import(const struct layout_import_request *request, bool *ret_is_unchanged, struct err *err) MUST_CHECK;

#endif
