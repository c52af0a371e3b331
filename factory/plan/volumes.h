/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.h - the keys `data:`, `configure:` and `upgrade:` of a manifest: paths that live in volumes, filled at the first start
 *
 * manifests/README.md describes every key; the tables in volumes.c are the definition. What is wanted for it (the start program,
 * its tools, the volumes of the configuration) is added to the manifest when it is loaded; the template is made of the finished
 * tree (tree/tree_data.h).
 * Threads: no shared state; const once read.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_VOLUMES_H
#define IMGFACTORY_PLAN_VOLUMES_H

#include "plan/yaml.h"

#define VOLUMES_MAX 16
#define VOLUME_PATHS_MAX 1000

struct manifest_form;

/* A path that lives in a volume. */
struct volume_path {
    const char *path;  /* absolute */
    bool is_directory; /* written with a slash at its end: what is not there becomes a directory */
};

struct volume {
    const char *path; /* where it is mounted; its template is PATH-template */
    LIST(struct volume_path) paths;
    bool is_lost; /* nobody keeps it: memory */
    const struct yaml_node *node;
};

struct volumes {
    LIST(struct volume) list;
};

/* Returns the tables of the keys of a volume and of a set-up program. */
struct yaml_tables volumes_tables(void);
/* Reads the form's `data`, `configure` and `upgrade`, when its services are read, and sets the manifest's `volumes`. */
bool volumes_read(struct arena *arena, struct manifest_form *form, struct err *err) MUST_CHECK;

#endif
