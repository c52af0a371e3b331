/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h - the key `snapshot` of source files: where a repository's former states are (pins.h)
 *
 * Threads: no state.
 * Fails with: ERR_USAGE with the node's place.
 */
#ifndef IMGFACTORY_SOURCE_SNAPSHOT_H
#define IMGFACTORY_SOURCE_SNAPSHOT_H

#include "plan/yaml.h"

/* Checks the pattern of a repository's mapping; NULL is fine. */
bool snapshot_check(const struct yaml_node *node, const char *pattern, struct err *err) MUST_CHECK;

#endif
