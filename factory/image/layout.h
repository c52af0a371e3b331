/* layout.h - an OCI image layout on disk (OCI image-spec image-layout.md)
 *
 * DIR/oci-layout, DIR/index.json, DIR/blobs/sha256/<hex>. Written so that a reader, or a kill at any instant, sees the
 * old or the new image: blobs first (temporary name, fsync, rename), directories synced, index.json replaced last.
 * Other tags of an existing layout are kept; a lock file (DIR/.lock, flock) orders writers. Blobs that only the
 * replaced tags needed are removed afterwards. Threads: any; one call per layout at a time. Fails with: ERR_LOCAL;
 * ERR_MALFORMED for an existing index.json that cannot be read (it is left alone).
 */
#ifndef IMGFACTORY_IMAGE_LAYOUT_H
#define IMGFACTORY_IMAGE_LAYOUT_H

#include "image/oci.h"

struct layout_request {
    const char *dir;     /* the layout: "out/dhcpd" */
    struct store *store; /* holds the layers */
    const struct image *const *images;
    size_t image_count;
    const struct document *index;
    const struct strings *tags; /* each gets a descriptor of the index with org.opencontainers.image.ref.name */
};

/* Writes (or finds unchanged: every tag has that digest and all blobs are there with the right bytes) the layout. */
bool layout_write(const struct layout_request *request, bool *ret_is_unchanged, struct err *err) MUST_CHECK;

#endif
