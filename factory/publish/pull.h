/* pull.h - an image from a registry into the store, verified
 *
 * Threads: blocks.
 * Fails with: as registry.h and layout_read.h.
 */
#ifndef IMGFACTORY_PUBLISH_PULL_H
#define IMGFACTORY_PUBLISH_PULL_H

#include "image/layout_read.h"
#include "publish/registry.h"

/* Gets index, manifests and configs (documents only). */
bool pull_documents(struct registry *registry, struct arena *arena, const struct reference *reference,
                    struct layout_image *ret_image, struct err *err) MUST_CHECK;
/* Gets all layers into the store. */
bool pull_layers(struct registry *registry, struct store *store, const struct layout_image *image,
                 _Atomic uint64_t *counter, struct err *err) MUST_CHECK;

#endif
