/* SPDX-License-Identifier: Apache-2.0 */
/* help.h - what help, --help and -h print, made from the tables of commands and options
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_HELP_H
#define IMGFACTORY_CLI_HELP_H

#include "base/err.h"
#include "cli/commands.h"

#include <stdio.h>

/* Prints usage and options of one command; of the first of the table, which is the program's own help, also the list of
 * commands, examples and exit classes. No line has more than 80 columns. */
void help_print(FILE *out, struct commands commands, const struct command_row *command);
/* Prints the same in brief, for -h: each option with the beginning of what is said of it; of the program the options that are
 * used most and the names of the commands, in 24 lines. */
void help_print_brief(FILE *out, struct commands commands, const struct command_row *command);
/* Runs `help [COMMAND]`. Fails with ERR_USAGE for what is no command. */
bool help_run(struct command *command, struct err *err);

#endif
