/* rpm_source_file.h - source files of kind "rpm", and what they share with .repo files
 *
 * manifests/README.md, "Sources", describes the keys.
 * Threads: no shared state.
 * Fails with: ERR_USAGE with a place.
 */
#ifndef IMGFACTORY_RPMMD_RPM_SOURCE_FILE_H
#define IMGFACTORY_RPMMD_RPM_SOURCE_FILE_H

#include "base/map.h"
#include "source/source.h"

/* Reads a mapping whose "kind" is rpm. */
bool rpm_source_load_node(struct arena *arena, const struct yaml_node *node, struct source *ret_source,
                          struct err *err) MUST_CHECK;
/* Sets $releasever, $releasever_major and $releasever_minor. */
void rpm_set_releasever(struct map *variables, const char *releasever);
/* Replaces the variables of all values of a repository but $basearch and $arch, and checks it: where it is, by schemes
 * that are known; keys when signatures are checked. */
bool rpm_repository_finish(struct arena *arena, const struct map *variables, struct rpm_repository *repository,
                           struct err *err) MUST_CHECK;

#endif
