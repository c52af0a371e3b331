/* SPDX-License-Identifier: Apache-2.0 */
/* change_values.h - what differs between two configurations of images; private to change/
 *
 * OCI image-spec config.md. Lists of which the order counts (entrypoint, cmd) are one value; env and labels are compared by
 * name, ports and volumes by item. The time of making is left out: it differs always. How an image is run (its contract) is
 * compared key by key where both bills have it.
 * Threads: no state.
 */
#ifndef IMGFACTORY_CHANGE_CHANGE_VALUES_H
#define IMGFACTORY_CHANGE_CHANGE_VALUES_H

#include "change/change.h"

/* Adds what differs to change->values. */
void change_values(struct arena *arena, const struct change_side *before, const struct change_side *after,
                   struct change *change);

#endif
