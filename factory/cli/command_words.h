/* SPDX-License-Identifier: Apache-2.0 */
/* command_words.h - finding commands in the table by what somebody wrote
 *
 * Apart from the table, whose functions use it.
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_COMMAND_WORDS_H
#define IMGFACTORY_CLI_COMMAND_WORDS_H

#include "base/arena.h"
#include "cli/commands.h"

/* Finds a command by its name; NULL when there is none. */
const struct command_row *command_words_find(struct commands commands, const char *name);
/* Returns the name of the command that a word looks like, in whatever letters, or is the only one to begin so; or NULL. */
const char *command_words_meant(struct arena *arena, struct commands commands, const char *word);
/* Returns what does here what a word does as a command of podman, dnf, apt, cargo and the like ("the command 'find'" of "search"); NULL
 * when it is none of theirs. */
const char *command_words_elsewhere(const char *word);

#endif
