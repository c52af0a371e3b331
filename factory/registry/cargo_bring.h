/* SPDX-License-Identifier: Apache-2.0 */
/* cargo_bring.h - what hangs on an image (oci/cargo.h), out of a repository and into one
 *
 * Into one: what is there is left as it is. Blobs first (mounted where they are in another repository of the registry), then artifacts,
 * each behind what it is about, then the fallback tags of a registry without referrers API, with full entries beside those of
 * others; tags of signatures get the layers that they lack, and become the very manifest where there was none. All is read back.
 * Threads: blocks; up to 16 requests at a time.
 * Fails with: as registry.h.
 */
#ifndef IMGFACTORY_REGISTRY_CARGO_BRING_H
#define IMGFACTORY_REGISTRY_CARGO_BRING_H

#include "oci/cargo.h"
#include "registry/registry.h"

struct cargo_load {
    const struct cargo *cargo;
    const struct cargo_blobs *blobs;
    const char *mount_from; /* a repository of the same registry that has the blobs; or NULL */
};

/* Finds what hangs on an image that is in the repository. */
bool cargo_gather_registry(struct registry *registry, const char *name, struct log *log,
                           const struct layout_image *image, struct cargo *ret_cargo, struct err *err) MUST_CHECK;
/* Brings what is missing; the image itself is in the repository. *ret_count: how many manifests were missing. */
bool cargo_bring(struct registry *registry, struct arena *arena, const struct cargo_load *load, size_t *ret_count,
                 struct err *err) MUST_CHECK;

#endif
