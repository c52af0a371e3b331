/* SPDX-License-Identifier: Apache-2.0 */
/* manual.h - the manual pages imgfactory(1) and imgfactory-COMMAND(1), made from the tables of commands, options, exit statuses
 * and variables, so that they cannot say anything else than the program
 *
 * In the man macros, as groff and mandoc read them.
 * Threads: main only.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_MANUAL_H
#define IMGFACTORY_CLI_MANUAL_H

#include "base/err.h"
#include "cli/commands.h"

#include <stdio.h>

struct command;

/* Prints the page of a command, or with NULL the program's. */
void manual_print(FILE *out, struct commands commands, const struct command_row *command);
/* Runs `manual [COMMAND]`. Fails with ERR_USAGE for what is no command. */
bool manual_run(struct command *command, struct err *err);

#endif
