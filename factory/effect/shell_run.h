/* SPDX-License-Identifier: Apache-2.0 */
/* shell_run.h - what a shell script does, as far as constant data tell: nothing is run
 *
 * Variables that a script sets to constant words are known, all others and what commands print are not; unset ones are
 * empty, unless the environment may have them. Conditions are decided by what is known and by the world, which the caller
 * gives: it knows which files and accounts are there, and is told each command as it comes. Of a condition that cannot be decided
 * both branches are gone through; their commands are then not sure, and variables that end differently are unknown. Loops
 * over known words are unrolled, functions go where they are called.
 * Work is bounded: 200,000 commands and conditions, 1,000 rounds of loops, 16 MiB of expanded words, 64 KiB of one value,
 * 250 of everything in each other. What is beyond is left out, and said.
 * Threads: pure function of its input and the world.
 * Owns: nothing; all lives in the arena.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_SHELL_RUN_H
#define IMGFACTORY_EFFECT_SHELL_RUN_H

#include "effect/shell_words.h"

/* Of a condition, or of how a command ends. */
enum shell_truth { SHELL_TRUTH_NO, SHELL_TRUTH_YES, SHELL_TRUTH_MAYBE };

/* A command that is no part of the language. */
struct shell_call {
    struct shell_command command; /* a word that is not constant stands as it is written */
    const char *input;            /* text of a here-document, or of a pipe when it is known; or NULL */
    const char *piped_from;       /* the words of the command whose output it reads, or NULL */
    const char *printed;          /* what it prints, when that is known (echo), or NULL */
    const char *output;           /* the file it prints to, or NULL */
    bool is_appending;            /* to its end */
    bool is_sure;                 /* it is reached in any case */
    unsigned umask;               /* that it is started with; 022 where that is not known */
    unsigned line;
};

struct shell_world {
    void *self;
    /* Takes note of a command. *ret_printed is set to what it would print, when that is known. */
    enum shell_truth (*call)(void *self, const struct shell_call *call, const char **ret_printed);
    /* Decides a condition of test(1) about a file: 'e', 'f', 'd', … */
    enum shell_truth (*test)(void *self, char what, const char *path);
    /* Lists the paths that a pattern matches. */
    void (*glob)(void *self, const char *pattern, struct strings *ret_paths);
    /* Returns what a variable holds that only the world can have set ($RET, after db_get); NULL when it is not known. */
    const char *(*variable)(void *self, const char *name);
    /* Returns the text of a script that is read with `.`; NULL when it is not there. */
    const char *(*source)(void *self, const char *path);
};

/* Goes through a script with these arguments. False when it is not understood, or too much for the bounds: then not all of
 * its commands were told. */
bool shell_run(struct arena *arena, const char *script, const struct strings *arguments,
               const struct shell_world *world);
/* Returns a command's name, without the directory. */
const char *shell_call_name(const struct shell_call *call);

#endif
