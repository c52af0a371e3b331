/* SPDX-License-Identifier: Apache-2.0 */
/* ground_layers.h - the layers of one platform of a base, as our own manifest will name them
 *
 * Docker's media types become OCI's, since one manifest has types of one kind (old quay refuses a mixture); digests stay. What the
 * type says of the compression is not believed, nor altered.
 * Refused (ERR_MALFORMED), by name: foreign layers (their bytes are elsewhere), encrypted and unknown ones, a
 * configuration that is no image's, or has not one diff_id for each layer.
 * Threads: no state.
 */
#ifndef IMGFACTORY_GROUND_GROUND_LAYERS_H
#define IMGFACTORY_GROUND_GROUND_LAYERS_H

#include "ground/ground.h"

/* Lists the layers from below; strings live in the arena, digests are copied. `name` is the base's, for messages. */
bool ground_layers_of(struct arena *arena, const char *name, const struct layout_manifest *manifest,
                      struct base_layers *ret_layers, struct err *err) MUST_CHECK;

#endif
