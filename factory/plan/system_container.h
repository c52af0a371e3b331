/* SPDX-License-Identifier: Apache-2.0 */
/* system_container.h - the key `system-container:` of a manifest: the image can be installed on a host as a service
 *
 * manifests/README.md describes every key; the tables in system_container.c are the definition. Files that stand beside
 * the manifest become wishes of it, and labels are added to its configuration, here; the files of /exports that nobody
 * wrote are made of the contract when the tree is known (system/system_make.h).
 * Threads: no shared state; const once read.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_SYSTEM_CONTAINER_H
#define IMGFACTORY_PLAN_SYSTEM_CONTAINER_H

#include "plan/yaml.h"

struct manifest_form;

struct system_container {
    struct yaml_pairs variables;                              /* names with their defaults */
    struct yaml_pairs renames;                                /* path in hostfs, template of its path on the host */
    struct strings templates;                                 /* paths on the host of files whose text is a template */
    bool has_no_service;                                      /* only files for the host */
    bool has_config, has_service, has_manifest, has_tmpfiles; /* they stand beside the manifest */
};

/* Returns the tables of the keys under `system-container`. */
struct yaml_tables system_container_tables(void);
/* Reads the mapping, adds wishes and labels to the form's manifest, and sets its `system`. */
bool system_container_read(struct arena *arena, const struct yaml_node *node, struct manifest_form *form,
                           struct err *err) MUST_CHECK;

#endif
