/* SPDX-License-Identifier: Apache-2.0 */
/* change_json.h - what changed, as JSON (bill/report.schema.json, "change")
 *
 * Threads: no state.
 * Owns: the caller owns what is returned.
 */
#ifndef IMGFACTORY_CHANGE_CHANGE_JSON_H
#define IMGFACTORY_CHANGE_CHANGE_JSON_H

#include "change/change.h"

#include <jansson.h>

/* Makes the object of one platform. */
json_t *change_json(const struct change *change);

#endif
