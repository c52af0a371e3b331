/* SPDX-License-Identifier: Apache-2.0 */
/* vex_command.h - `imgfactory vex IMAGE`: which CVEs an image has and has not, for scanners
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_VEX_COMMAND_H
#define IMGFACTORY_CLI_VEX_COMMAND_H

#include "cli/remote_parts.h"

/* Prints the document of all platforms together. */
bool vex_run(struct remote *remote, struct err *err) MUST_CHECK;

#endif
