/* SPDX-License-Identifier: Apache-2.0 */
/* archive.h - an image in one file, as podman save, docker save and skopeo write it, unpacked into a layout
 *
 * oci-archive: a tar of an OCI layout (image-spec image-layout.md). docker-archive: manifest.json with Config, RepoTags
 * and Layers (moby image/spec v1.2, "Combined Image JSON + Filesystem Changeset Format"), which becomes a layout: a
 * manifest for each image, named by its tags in full (docker.io/library/x:1.0). What is both is taken as a layout. The
 * tar may be compressed. Nothing is written under a name of the archive: each file is a blob by the digest of its bytes,
 * so a blob of another name than its digest is not there for who asks. Links lead to other members (older docker save
 * writes a layer once).
 * Limits: a million members, documents of 4 MiB, and 64 times the file's size, or 1 GiB, on disk.
 * Threads: any; one archive belongs to one thread.
 * Owns: the temporary directory (in TMPDIR, else /var/tmp), until archive_done().
 * Fails with: ERR_MALFORMED, ERR_USAGE (the file is no archive of an image), ERR_LOCAL.
 */
#ifndef IMGFACTORY_LAYER_ARCHIVE_H
#define IMGFACTORY_LAYER_ARCHIVE_H

#include "base/text.h"

struct archive {
    const char *layout; /* the directory; NULL: none */
    struct arena arena;
};

/* Makes the directory for what is unpacked, where that has to be known before archive_open(). */
bool archive_make_place(struct archive *archive, struct err *err) MUST_CHECK;
/* Unpacks the archive in `file` into a zeroed one, or into its place. */
bool archive_open(const char *file, struct archive *archive, struct err *err) MUST_CHECK;
/* Removes what was unpacked. Accepts a zeroed one. For AUTO(). */
void archive_done(struct archive *archive);

#endif
