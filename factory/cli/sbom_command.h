/* SPDX-License-Identifier: Apache-2.0 */
/* sbom_command.h - `imgfactory sbom IMAGE`: what is in one platform of an image, or in each, for scanners
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_SBOM_COMMAND_H
#define IMGFACTORY_CLI_SBOM_COMMAND_H

#include "cli/remote_parts.h"

/* Prints the document of the platform that is meant, or writes those of all that are. */
bool sbom_run(struct remote *remote, struct err *err) MUST_CHECK;

#endif
