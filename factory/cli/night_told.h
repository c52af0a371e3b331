/* SPDX-License-Identifier: Apache-2.0 */
/* night_told.h - the files that tell what a run did: --metrics, --changes, --report
 *
 * Threads: main only; they are written by the keeper, since they may lie where nobody else writes.
 */
#ifndef IMGFACTORY_CLI_NIGHT_TOLD_H
#define IMGFACTORY_CLI_NIGHT_TOLD_H

#include "cli/command.h"

/* Writes those that are wanted, with the outcome of the run. What cannot be written is told, and makes a good run a bad one: who
 * looks at the file would see the run before. */
void night_told_write(struct command *command);

#endif
