/* SPDX-License-Identifier: Apache-2.0 */
/* layout_parts.h - the parts of layout.c: blobs on disk, index.json, and removing what nobody needs any more
 *
 * Threads: a struct layout belongs to one thread; its lock orders threads and processes.
 * Owns: layout_close() closes the descriptors, and with lock_fd ends the lock.
 */
#ifndef IMGFACTORY_OCI_LAYOUT_PARTS_H
#define IMGFACTORY_OCI_LAYOUT_PARTS_H

#include "io/store.h"
#include "oci/cargo.h"
#include "oci/layout.h"
#include "oci/layout_read.h"
#include "oci/platforms.h"

#include <jansson.h>

struct layout_request; /* layout.h */

/* An open layout directory under its lock. Descriptors are -1 when not open. */
struct layout {
    const char *path;
    const struct lock_wait *wait; /* for the lock; may be NULL */
    int fd, lock_fd;
    int blobs_fd; /* of blobs/sha256; -1 until there is one */
};

/* A blob that is to be in the layout: a document's bytes, or (bytes NULL) a layer of the store. */
struct layout_piece {
    struct digest digest;
    uint64_t size_bytes;
    const char *bytes;
    bool is_there;
};

/* --- layout.c --- */

/* Closes all descriptors, which ends the lock. For AUTO(). */
void layout_close(struct layout *layout);
/* Opens blobs/sha256 of an open layout; no link is followed. The caller closes it; -1 with errno. */
int layout_open_blobs(const struct layout *layout);

/* --- layout_read.c --- */

/* Opens a layout for reading, under its lock where it has one. ERR_USAGE when it is none. */
bool layout_open_to_read(struct layout *layout, struct err *err) MUST_CHECK;

/* --- layout_blob.c --- */

/* Returns whether blobs/sha256 has that blob as a regular file with exactly these bytes (size, then SHA-256, unless that
 * is known of the file). */
bool layout_has_blob(const struct layout *layout, struct hashed *hashed, const struct digest *digest,
                     uint64_t size_bytes);
/* Copies a document of the layout into the arena; false when it is not there, too big for one, or damaged. */
bool layout_read_document(const struct layout *layout, struct arena *arena, const struct digest *digest,
                          struct text *ret_bytes);
/* Writes one blob durably, from its bytes or the store, with which it shares a layer's bytes where the file system lets
 * files do that. The directory is not synced. */
bool layout_put_blob(const struct layout *layout, struct store *store, const struct layout_piece *piece,
                     struct err *err) MUST_CHECK;
/* Replaces name in dirfd (a directory of the layout) by these bytes: ".tmp-NAME", fsync, rename. The directory is not
 * synced. */
bool layout_put(const struct layout *layout, int dirfd, const char *name, struct text bytes,
                struct err *err) MUST_CHECK;
/* Removes what killed writers left (.tmp-*) in the layout's directories. */
void layout_clean(const struct layout *layout);
/* Opens the directory of documents beside the image, of a layout's own; no link is followed. The caller closes it; -1
 * with errno. */
int layout_open_beside(int layout_fd);
/* Syncs a directory of the layout. */
bool layout_sync(const struct layout *layout, int dirfd, struct err *err) MUST_CHECK;

/* --- layout_index.c --- */

/* Reads index.json; a new, empty index when there is none. ERR_MALFORMED names the file and place. The caller frees
 * *ret_index with json_decref(). */
bool layout_index_read(const struct layout *layout, json_t **ret_index, struct err *err) MUST_CHECK;
/* Returns whether oci-layout is there and says version 1.0.0; ERR_MALFORMED for another version or none. */
bool layout_version_read(const struct layout *layout, bool *ret_is_there, struct err *err) MUST_CHECK;
/* What tags of a layout are to point at. */
struct layout_target {
    struct layout_blob root; /* an index, or a single manifest */
    const char *name;        /* "quay.io/me/dhcpd"; NULL: none */
};

/* Makes each tag point at the root document; without tags it is listed once. With a name each has NAME:TAG as
 * io.containerd.image.name, by which podman load and ctr import call it. The tag's
 * descriptor keeps its place, or is appended. A descriptor that already points there stays as it is. Descriptors that
 * lost their place are appended to the array `replaced`. Returns whether anything changed. */
bool layout_index_set(json_t *index, const struct layout_target *target, const struct strings *tags, json_t *replaced);
/* Lists what hangs on an image: artifacts without a tag, with artifactType and annotations, each once; signatures under their tag behind
 * the prefix. Returns whether anything changed. */
bool layout_index_add_cargo(json_t *index, const struct cargo *cargo, const char *prefix, json_t *replaced);
/* Replaces index.json, durably. */
bool layout_index_write(const struct layout *layout, const json_t *index, struct err *err) MUST_CHECK;
/* Returns the tag of a descriptor in index.json (org.opencontainers.image.ref.name), or NULL. */
const char *layout_index_tag(const json_t *descriptor);

/* --- layout_platforms.c --- */

/* Checks that no tag loses a platform when it moves to the root document, which has the platforms `after`: else
 * ERR_USAGE, and the request's *ret_loss tells which. */
bool layout_check_platforms(const struct layout *layout, const json_t *index, const struct layout_blob *root,
                            const struct layout_request *request, const struct platforms *after,
                            struct err *err) MUST_CHECK;

/* --- layout_beside.c --- */

/* Writes those documents that are not there with the same bytes, durably. */
bool layout_put_beside(const struct layout *layout, const struct layout_beside *documents, size_t count,
                       struct err *err) MUST_CHECK;
/* Removes the document about a manifest from the directory that layout_open_beside() opened. */
void layout_drop_beside(int dirfd, const struct digest *about);

/* --- layout_parse.c --- */

/* Parses JSON text without duplicate keys; `flags` are further ones of jansson. ERR_MALFORMED "NAME:LINE:COLUMN: …".
 * The caller frees *ret_json with json_decref(). */
bool layout_json_parse(struct text bytes, size_t flags, const char *name, json_t **ret_json,
                       struct err *err) MUST_CHECK;
/* Reads a descriptor (image-spec descriptor.md): media type, sha256 digest, size up to cap_bytes. */
bool layout_descriptor_read(struct arena *arena, const json_t *json, uint64_t cap_bytes, struct layout_blob *ret_blob,
                            struct err *err) MUST_CHECK;

/* --- layout_sweep.c --- */

/* Removes the blobs that the replaced descriptors reach and the index does not, and what lies beside about them. When it
 * cannot be told what the index needs (a damaged document), nothing is removed. Failing to remove is no error: the image
 * is complete, and a blob too many does no harm. */
void layout_sweep(const struct layout *layout, const json_t *index, const json_t *replaced);

#endif
