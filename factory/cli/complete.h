/* SPDX-License-Identifier: Apache-2.0 */
/* complete.h - `imgfactory completion`: what a shell offers when Tab is pressed
 *
 * The scripts for the shells (factory/cli/completion/) are short: they hand the words of the line to `imgfactory completion
 * words -- WORD...`, which knows commands, options and what each takes from the tables that the parser has. The answer's first
 * line says whether names of files ("files") or folders ("folders") are wanted, too, or neither ("words"); each further one is a
 * candidate for the last word, a tab and what it is. Nothing is asked of the network, nothing is said of what is wrong.
 * Threads: main; packages' names are found by the threads of a plant.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: ERR_USAGE for a shell that is not known.
 */
#ifndef IMGFACTORY_CLI_COMPLETE_H
#define IMGFACTORY_CLI_COMPLETE_H

#include "cli/command.h"

/* Runs `completion SHELL` and `completion words`. */
bool complete_run(struct command *command, struct err *err) MUST_CHECK;

#endif
