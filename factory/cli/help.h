/* help.h - what --help prints, made from the tables of commands and options
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_HELP_H
#define IMGFACTORY_CLI_HELP_H

#include "cli/commands.h"

#include <stdio.h>

/* Prints usage and options of one command; of the first of the table, which is the program's own help, also the list of
 * commands, examples and exit classes. */
void help_print(FILE *out, struct commands commands, const struct command_row *command);

#endif
