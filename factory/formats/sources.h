/* SPDX-License-Identifier: Apache-2.0 */
/* sources.h - which source is meant, and reading it by its format: the host's own configuration, or a source file
 *
 * Source files: manifests/README.md, "Sources". `root` is what plays the host: "" for itself.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_FORMATS_SOURCES_H
#define IMGFACTORY_FORMATS_SOURCES_H

#include "plan/yaml.h"
#include "source/source.h"

/* Reads the host's own configuration, of the first format that has one there. None: ERR_USAGE that names all. */
bool source_load_host(struct arena *arena, const char *root, struct source *ret_source, struct err *err) MUST_CHECK;
/* Finds a source file: a name without '/' and ".yaml" is one of those shipped in `dir`; else it is a path. ERR_USAGE
 * lists the known names and the nearest. */
bool source_find(struct arena *arena, const char *dir, const char *name, const char **ret_path,
                 struct err *err) MUST_CHECK;
/* Reads a source file, by its `kind`; paths in it are relative to it. */
bool source_load_file(struct arena *arena, const char *path, const char *root, struct source *ret_source,
                      struct err *err) MUST_CHECK;
/* The same for a mapping inside a manifest. */
bool source_load_node(struct arena *arena, const struct yaml_node *node, const char *root, struct source *ret_source,
                      struct err *err) MUST_CHECK;
/* Keeps only the main repository and gives it these suites (comma-separated); ERR_USAGE where the format has none. */
bool source_replace_suites(struct arena *arena, struct source *source, const char *suites, struct err *err) MUST_CHECK;

#endif
