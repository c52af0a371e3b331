/* SPDX-License-Identifier: Apache-2.0 */
/* in_images.h - `imgfactory find --in-images`: which published images have a soname, a package or a file
 *
 * From what nights took down in the state (past/past.h); nothing is asked of the network.
 * Threads: main only.
 * Fails with: ERR_USAGE (nothing or nonsense is asked for, no image is known), ERR_LOCAL.
 */
#ifndef IMGFACTORY_CLI_IN_IMAGES_H
#define IMGFACTORY_CLI_IN_IMAGES_H

#include "cli/command.h"

/* Answers it, and prints the answer. */
bool in_images_run(struct command *command, struct err *err) MUST_CHECK;
/* Finds the state of this call: --state, else the user's. */
bool in_images_state(struct command *command, const char **ret_dir, struct err *err) MUST_CHECK;

#endif
