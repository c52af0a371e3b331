/* SPDX-License-Identifier: Apache-2.0 */
/* shell_runner.h - a shell script under way, which its parts share: shell_run.c (commands), shell_builtin.c (those of the
 * shell itself), shell_expand.c (words), shell_state.c (variables, bounds)
 *
 * Private to shell_*.c.
 * Threads: one.
 */
#ifndef IMGFACTORY_EFFECT_SHELL_RUNNER_H
#define IMGFACTORY_EFFECT_SHELL_RUNNER_H

#include "base/map.h"
#include "effect/script_mode.h"
#include "effect/shell_parse.h"
#include "effect/shell_run.h"

/* The umask is kept as a variable that no script can name: in octal. Branches and subshells are then as for all others. */
#define SHELL_UMASK " umask"

/* What makes a command not the last that is looked at. */
enum shell_flow { SHELL_FLOW_NEXT, SHELL_FLOW_BREAK, SHELL_FLOW_CONTINUE, SHELL_FLOW_RETURN, SHELL_FLOW_EXIT };

struct shell_variable {
    const char *value; /* NULL: unknown */
    /* While two branches are put together: what each made of it, and in which putting-together. */
    const char *ends[2];
    size_t merges[3];
};

/* A change of a variable, to be taken back. */
struct shell_change {
    struct shell_variable *variable;
    const char *before;
};

struct shell_changes {
    struct shell_change *items;
    size_t count, capacity;
};

/* What is printed, while it is of interest. */
struct shell_capture {
    LIST(char) bytes;
    bool is_unknown;
};

struct shell_runner {
    struct arena *arena;
    const struct shell_world *world;
    struct map variables, functions;
    struct shell_changes journal;
    struct strings arguments; /* NULL: unknown */
    struct shell_capture *capture;
    const char *input;      /* what comes through a pipe, or NULL: unknown */
    const char *piped_from; /* the words of the command that it comes from, or NULL */
    const char *last_words; /* of the last simple command */
    enum shell_truth (*run)(struct shell_runner *runner, const struct shell_node *node);
    enum shell_flow flow;
    enum shell_truth flow_truth;        /* how what exits or returns ends */
    enum shell_truth last_truth;        /* of the last substitution */
    size_t branches;                    /* that were not decided, around what is looked at */
    size_t doubts[SHELL_FLOW_EXIT + 1]; /* how often one may have left the loop, function, script before its end */
    size_t depth, steps, rounds, merges;
    size_t bytes;
    bool is_foreign; /* a script that is not known was read: unset variables may be set by it */
    bool is_cut;
};

/* Takes from the bounds; false when they are used up: then everything ends. */
bool shell_spend(struct shell_runner *runner, size_t steps, size_t bytes);
/* Finds what a variable or parameter holds; NULL: unknown. */
const char *shell_get(const struct shell_runner *runner, const char *name);
/* Sets a variable; NULL: unknown. */
void shell_set(struct shell_runner *runner, const char *name, const char *value);
/* Returns what new files are not to have; 022 when nobody knows. */
unsigned shell_umask(const struct shell_runner *runner);
/* Runs something as a shell of its own, which cannot end the script or change its variables; returns how it ends. */
enum shell_truth shell_run_apart(struct shell_runner *runner, const struct shell_node *node);
/* Takes back all changes since `mark`, and returns them with what the variables ended as. */
struct shell_changes shell_rewind(struct shell_runner *runner, size_t mark);
/* Puts two branches together: a variable that both end alike is known. */
void shell_merge(struct shell_runner *runner, const struct shell_changes *one, const struct shell_changes *other);

/* How words are expanded: split and matched with files; as one field; as one with what is quoted escaped, for patterns. */
enum shell_expansion { SHELL_EXPANSION_FIELDS, SHELL_EXPANSION_ONE, SHELL_EXPANSION_PATTERN };
/* Expands a word, and adds its fields. */
void shell_expand(struct shell_runner *runner, const struct shell_lexeme *word, enum shell_expansion how,
                  struct shell_command *fields);
/* Expands a word to one field; NULL: unknown. */
const char *shell_expand_one(struct shell_runner *runner, const struct shell_lexeme *word, enum shell_expansion how);
/* Matches a pattern of `case`, where '*' also stands for '/' and '\' takes what is special from a character. */
bool shell_matches(struct shell_runner *runner, const char *pattern, const char *text);
/* Adds to what is printed; NULL: unknown. */
void shell_print(struct shell_runner *runner, const char *text);

/* Runs a command of the shell itself; false when it is none. *ret_text is what it prints, "" or NULL (unknown). */
bool shell_builtin(struct shell_runner *runner, const struct shell_call *call, enum shell_truth *ret_truth,
                   const char **ret_text);
/* Runs a script in the place of a command: eval, `.`. */
enum shell_truth shell_run_text(struct shell_runner *runner, const char *script);

#endif
