/* SPDX-License-Identifier: Apache-2.0 */
/* deploy_parts.h - the files of each format, and what they begin with; private to deploy/
 *
 * Threads: pure functions of their inputs.
 * Owns: nothing; all lives in the arena given.
 */
#ifndef IMGFACTORY_DEPLOY_DEPLOY_PARTS_H
#define IMGFACTORY_DEPLOY_DEPLOY_PARTS_H

#include "deploy/deploy_settings.h"
#include "deploy/deploy_text.h"

/* Makes the comment lines that tell of an image and its contract: what it needs, what is not known, what this format has no
 * word for, SELinux. `use` says how the file is put to use. */
const char *deploy_head(struct arena *arena, const struct deployment *deployment, enum deploy_format format,
                        const char *use);
/* Makes the section [Unit] of a unit. */
const char *deploy_unit_section(struct arena *arena, const struct deployment *deployment);
/* Add the files of one format. */
void deploy_add_quadlet(struct arena *arena, const struct deployment *deployment, struct deploy_files *files);
void deploy_add_service(struct arena *arena, const struct deployment *deployment, struct deploy_files *files);
void deploy_add_kube(struct arena *arena, const struct deployment *deployment, struct deploy_files *files);

#endif
