/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h - the commands that work on registries and layouts: push, pull, inspect, diff, sbom, tag, check, login, logout
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_REMOTE_H
#define IMGFACTORY_CLI_REMOTE_H

#include "cli/command.h"

/* Pushes a layout. */
bool remote_push(struct command *command, struct err *err) MUST_CHECK;
/* Gets an image into the cache, and with --output into a layout. */
bool remote_pull(struct command *command, struct err *err) MUST_CHECK;
/* Shows an image of a layout or a registry. */
bool remote_inspect(struct command *command, struct err *err) MUST_CHECK;
/* Tells what differs between two images (diff.h). */
bool remote_diff(struct command *command, struct err *err) MUST_CHECK;
/* Prints an image's SBOM (sbom.h). */
bool remote_sbom(struct command *command, struct err *err) MUST_CHECK;
/* Prints an image's VEX document (vex.h) / its provenance (provenance.h). */
bool remote_vex(struct command *command, struct err *err) MUST_CHECK;
bool remote_provenance(struct command *command, struct err *err) MUST_CHECK;
/* Prints or writes units for images of layouts, registries and the catalogue (maker.h). */
bool remote_unit(struct command *command, struct err *err) MUST_CHECK;
/* Lists the images of a repository (history.h). */
bool remote_history(struct command *command, struct err *err) MUST_CHECK;
/* Tells whether the images of a site are current (status.h). */
bool remote_status(struct command *command, struct err *err) MUST_CHECK;
/* Deletes what no rule keeps from the repositories of a site, or from one. */
bool remote_prune(struct command *command, struct err *err) MUST_CHECK;
/* Works with system containers (system.h). */
bool remote_system(struct command *command, struct err *err) MUST_CHECK;
struct rebuild_plan; /* rebuild_parts.h */
/* Verifies an image, and what is said of it (verify.h); with `plan` also learns how it can be made again. */
bool remote_verify_for(struct command *command, struct rebuild_plan *plan, struct err *err) MUST_CHECK;
/* Copies images with what hangs on them (copy.h). */
bool remote_copy(struct command *command, struct err *err) MUST_CHECK;
/* Sets a tag in a registry. */
bool remote_tag(struct command *command, struct err *err) MUST_CHECK;
/* Tries and keeps a credential. */
bool remote_login(struct command *command, struct err *err) MUST_CHECK;
/* Removes a credential. */
bool remote_logout(struct command *command, struct err *err) MUST_CHECK;
/* Proves directories, a layout or an image of a registry (check.h). */
bool remote_check(struct command *command, struct err *err) MUST_CHECK;

#endif
