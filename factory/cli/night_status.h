/* SPDX-License-Identifier: Apache-2.0 */
/* night_status.h - the end of a night in its site's status record
 *
 * Threads: main only, while the plant is open.
 */
#ifndef IMGFACTORY_CLI_NIGHT_STATUS_H
#define IMGFACTORY_CLI_NIGHT_STATUS_H

#include "cli/command.h"
#include "line/batch.h"

/* Writes what became of the images, and into the batch what became of that. A night that was interrupted writes nothing:
 * whoever reads the record finds it older. */
void night_status_write(struct command *command, const struct plant *plant, struct batch *batch);

#endif
