/* SPDX-License-Identifier: Apache-2.0 */
/* archive_write.h - an image written into one file, as podman load, docker load and skopeo read it
 *
 * oci-archive: a tar of an OCI layout (image-spec image-layout.md) with all platforms of the image; index.json has one
 * entry, since podman load takes no archive with several. docker-archive: manifest.json with Config, RepoTags and Layers
 * (moby image/spec v1.2), for one platform, with the layers unpacked to tars that are checked against the configuration's
 * diff IDs, as every docker reads them. The bytes depend on the image and its names alone: members in a fixed order, owner
 * and time 0. The file appears, or takes the place of another, whole (io/new_file.h).
 * Threads: blocks; one call per file at a time.
 * Fails with: ERR_USAGE (what the archive's kind cannot hold, a bad name), ERR_TRUST (a layer of another diff ID),
 * ERR_MALFORMED, ERR_LOCAL.
 */
#ifndef IMGFACTORY_LAYER_ARCHIVE_WRITE_H
#define IMGFACTORY_LAYER_ARCHIVE_WRITE_H

#include "oci/layout_read.h"

enum archive_form { ARCHIVE_OCI, ARCHIVE_DOCKER };

/* Where an image goes, as podman and skopeo spell it: oci-archive:FILE[:REF], docker-archive:FILE[:REF]. */
struct archive_target {
    enum archive_form form;
    const char *file;
    const char *name; /* REF; NULL: none was given */
};

struct archive_request {
    const struct archive_target *target;
    struct store *store;              /* has the layers */
    const struct layout_image *image; /* the documents; what of it was not read is left out */
    const char *name;                 /* without REF: "quay.io/me/dhcpd" … */
    const struct strings *tags; /* … and its tags, of which an oci-archive takes the first; none: it has no name */
};

/* Returns whether a word says that it is an archive, by its prefix. */
bool archive_is_target(const char *word);
/* Parses such a word; ERR_USAGE tells what is wrong with it. */
bool archive_target_parse(struct arena *arena, const char *word, struct archive_target *ret_target,
                          struct err *err) MUST_CHECK;
/* Returns the folder that the file is in. */
const char *archive_folder(struct arena *arena, const struct archive_target *target);
/* Writes the archive. */
bool archive_write(const struct archive_request *request, struct err *err) MUST_CHECK;

#endif
