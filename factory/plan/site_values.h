/* SPDX-License-Identifier: Apache-2.0 */
/* site_values.h - values that several keys of the site file take; private to plan/site and plan/site_image
 *
 * Threads: no state.
 * Owns: nothing; texts live in the arena given.
 * Fails with: ERR_USAGE with place.
 */
#ifndef IMGFACTORY_PLAN_SITE_VALUES_H
#define IMGFACTORY_PLAN_SITE_VALUES_H

#include "plan/yaml.h"

/* Refuses a value, with its place and the reason. Always returns false. */
bool site_values_fail(struct arena *arena, const struct yaml_node *node, const char *value, const char *why,
                      struct err *err);
/* Checks the templates of tags that were read from `node`; NULL: the file has none. */
bool site_values_check_tags(struct arena *arena, const struct yaml_node *node, const struct strings *tags,
                            struct err *err) MUST_CHECK;
/* Checks that no text of a key's value is empty: in quotes it would pass for "not given" later. The key may be absent. */
bool site_values_check_filled(const struct yaml_node *mapping, const char *key, struct err *err) MUST_CHECK;
/* Checks the values of `parity` and `on-missing`; NULL: not given. */
bool site_values_check_together(struct arena *arena, const struct yaml_node *mapping, const char *parity,
                                const char *on_missing, struct err *err) MUST_CHECK;
/* Returns a path of a site file as this process finds it: absolute, or relative to where the file is. */
const char *site_values_beside(struct arena *arena, const char *file, const char *path);

#endif
