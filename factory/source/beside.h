/* SPDX-License-Identifier: Apache-2.0 */
/* beside.h - paths and URIs in source files: relative to the file that they stand in
 *
 * Threads: no state.
 * Fails with: ERR_USAGE with the node's place.
 */
#ifndef IMGFACTORY_SOURCE_BESIDE_H
#define IMGFACTORY_SOURCE_BESIDE_H

#include "plan/yaml.h"

/* Resolves a path against the directory of the node's file. */
const char *beside_path(struct arena *arena, const struct yaml_node *node, const char *path);
/* A URI stays as it is; a path ("./repo", "/srv/repo"), which must be there, becomes a file URI. */
bool beside_uri(struct arena *arena, const struct yaml_node *node, const char *uri, const char **ret_uri,
                struct err *err) MUST_CHECK;
/* The same for a path with variables ($basearch) in it, which stay and of which only the directory of the node's file
 * must be there. */
bool beside_variable_uri(struct arena *arena, const struct yaml_node *node, const char *uri, const char **ret_uri,
                         struct err *err) MUST_CHECK;

#endif
