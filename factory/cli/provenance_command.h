/* SPDX-License-Identifier: Apache-2.0 */
/* provenance_command.h - `imgfactory provenance IMAGE`: how an image was made, as an in-toto statement
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_PROVENANCE_COMMAND_H
#define IMGFACTORY_CLI_PROVENANCE_COMMAND_H

#include "cli/remote_parts.h"

/* Prints the statement of all platforms together. */
bool provenance_run(struct remote *remote, struct err *err) MUST_CHECK;

#endif
