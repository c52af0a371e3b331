/* SPDX-License-Identifier: Apache-2.0 */
/* pull.h - an image from a registry into the store, verified
 *
 * A tag is looked up once; everything after it goes by digest. What the store holds already is not fetched again, so a
 * pull that was cut off goes on where it was. The urls of foreign layers are never followed.
 * Threads: blocks; layers are fetched by four threads of its own.
 * Fails with: as registry.h and layout_read.h; ERR_PUBLISH when the registry does not have the image.
 */
#ifndef IMGFACTORY_REGISTRY_PULL_H
#define IMGFACTORY_REGISTRY_PULL_H

#include "oci/layout_read.h"
#include "registry/registry.h"

/* What of which image is to be got. */
struct pull_request {
    const struct reference *reference;  /* its digest goes before its tag; with neither it is "latest" */
    const struct layout_wanted *wanted; /* NULL: all of it */
    bool has_layers;                    /* of pull_image(): its layers, too */
};

/* How registries are asked, and where what they have is kept. */
struct pull_means {
    const struct registry_options *options; /* is_other_there is not looked at */
    struct http *http;
    struct store *store;
    _Atomic uint64_t *received,
        *wanted; /* counts of layers' bytes: what came, and what is not in the store; may be NULL */
};

/* Gets index, manifests and configs (documents only), and keeps them in the store. */
bool pull_documents(struct registry *registry, struct store *store, struct arena *arena,
                    const struct pull_request *request, struct layout_image *ret_image, struct err *err) MUST_CHECK;
/* Reads the same out of the store alone; what it does not have is ERR_LOCAL. */
bool pull_kept(struct store *store, struct arena *arena, const struct layout_blob *root, struct layout_image *ret_image,
               struct err *err) MUST_CHECK;
/* Gets all layers of what was read into the store. `counter` (may be NULL) counts the bytes received. */
bool pull_layers(struct registry *registry, struct store *store, const struct layout_image *image,
                 _Atomic uint64_t *counter, struct err *err) MUST_CHECK;
/* Gets an image from the first place that has it: mirrors, then the registry itself (registries_conf.h). The log is told of
 * each that has not. *ret_registry, where it was, is the caller's to close; NULL on failure. */
bool pull_image(const struct pull_means *means, struct arena *arena, const struct pull_request *request,
                struct registry **ret_registry, struct layout_image *ret_image, struct err *err) MUST_CHECK;

#endif
