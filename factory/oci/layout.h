/* layout.h - an OCI image layout on disk (OCI image-spec image-layout.md)
 *
 * DIR/oci-layout, DIR/index.json, DIR/blobs/sha256/<hex>. Written so that a reader, or a kill at any instant, sees the
 * old or the new image: blobs first (temporary name, fsync, rename), directories synced, index.json replaced last.
 * Other tags of an existing layout are kept; a lock file (DIR/.lock, 0600, flock) orders writers. Blobs that only the
 * replaced tags needed are removed afterwards. Documents about the image that no client shall meet (the bills) lie beside
 * it, in DIR/imgfactory/NAME; each tells by a digest which image it is about, since they are replaced one by one, last.
 * Threads: any; one call per layout at a time.
 * Fails with: ERR_LOCAL; ERR_CANCELLED while waiting; ERR_MALFORMED for an existing index.json that cannot be read (it
 * is left alone); ERR_USAGE when a tag would lose platforms.
 */
#ifndef IMGFACTORY_OCI_LAYOUT_H
#define IMGFACTORY_OCI_LAYOUT_H

#include "io/lock.h"
#include "io/store.h"
#include "oci/layout_read.h"
#include "oci/oci.h"
#include "oci/platforms.h"

#define LAYOUT_BESIDE_DIR "imgfactory"

/* A document beside the image. */
struct layout_beside {
    const char *name; /* of the file: one of our own choice */
    struct text bytes;
};

struct layout_request {
    const char *dir;     /* the layout: "out/dhcpd" */
    struct store *store; /* holds the layers */
    const struct image *const *images;
    size_t image_count;
    const struct document *index;
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

/* Takes a document that lies beside the image of a layout; its bytes are gone afterwards, and are anybody's. */
typedef void layout_beside_seen(void *self, const struct layout_beside *beside);
/* Hands over the regular files in DIR/imgfactory, in no order, of cap_bytes in all; links are not followed, hidden files
 * and what is above the cap left out. False when there is no such directory. */
bool layout_each_beside(const char *dir, size_t cap_bytes, layout_beside_seen *seen, void *self);

/* An image that was made elsewhere (pulled): its documents are in `image`, its layers in the store. */
struct layout_import_request {
    const char *dir;
    struct store *store;
    const struct layout_image *image;
    const struct strings *tags;   /* each gets a descriptor of the image's root document; none: that has no tag */
    const struct lock_wait *wait; /* as above */
};

/* As layout_write(), with the documents' bytes as they are. */
bool layout_import(const struct layout_import_request *request, bool *ret_is_unchanged, struct err *err) MUST_CHECK;

#endif
