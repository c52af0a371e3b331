/* SPDX-License-Identifier: Apache-2.0 */
/* shell_words.h - the simple commands of a shell script, as words: what it could start, without running anything
 *
 * Quoting, comments, here-documents, redirections, command substitutions and reserved words as in POSIX "Shell Command
 * Language", 2.2 to 2.9; nothing is expanded and no condition is decided, so this is every command that could run.
 * Text that is only printed or compared is never a command. Patterns of `case` come out as commands of their own (they
 * have one word). At most 1 MiB and 20,000 commands are looked at, substitutions at most 8 deep.
 * Threads: pure function of its input.
 * Fails with: nothing; text that is no shell script gives words that nobody asks for.
 */
#ifndef IMGFACTORY_EFFECT_SHELL_WORDS_H
#define IMGFACTORY_EFFECT_SHELL_WORDS_H

#include "base/text.h"

struct shell_word {
    const char *text; /* without quotes; what would be expanded stands as it is written */
    bool is_constant; /* nothing in it would be expanded, or what that gives is known (shell_run.h) */
    bool is_written;  /* constant, and stands so in the script: nothing was expanded */
};

/* A command's name and arguments, without redirections, leading assignments and reserved words. */
struct shell_command {
    struct shell_word *items; /* at least one */
    size_t count, capacity;
};

struct shell_commands {
    struct shell_command *items; /* in the order in which they begin to be complete */
    size_t count, capacity;
};

/* Lists the commands of a script. Results live in the arena. */
void shell_commands_list(struct arena *arena, const char *script, struct shell_commands *ret_commands);

#endif
