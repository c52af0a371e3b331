/* SPDX-License-Identifier: Apache-2.0 */
/* services.h - the keys `services:` and `init:` of a manifest: several services in one image
 *
 * manifests/README.md describes every key; the tables in services.c are the definition. All of it becomes wishes, and the
 * command of the configuration, when the manifest is loaded: nothing else in the factory knows of it.
 *   tini      one command: tini is process 1 and starts it
 *   runit     commands: a script (start/services.sh) is process 1 and runs runsvdir; of each service there is a folder
 *             /etc/service/NAME with run, check and finish (runsv(8)), which nobody has to write to
 *   systemd   units of packages or of the manifest, enabled by links; order and restarts are drop-ins (systemd.unit(5))
 * Threads: no shared state; const once read.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_SERVICES_H
#define IMGFACTORY_PLAN_SERVICES_H

#include "plan/yaml.h"

#define SERVICES_MAX 64
#define SERVICES_GIVER "services"                   /* whose wishes they are */
#define SERVICES_SYSTEMD "/usr/lib/systemd/systemd" /* process 1 of units */

struct manifest_form;

/* Returns the tables of the keys of a service. */
struct yaml_tables services_tables(void);
/* Reads the form's `services` and `init`, and adds what they want to its manifest, which is checked already. What the manifest
 * makes by itself in the place of one of these files stays. */
bool services_read(struct arena *arena, struct manifest_form *form, struct err *err) MUST_CHECK;

#endif
