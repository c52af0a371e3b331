/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - the command words: one table tells the parser, --help, the dispatch and the README's test what there is
 *
 * A word of the table always is a command. An image of that name is written as a path, ./NAME.yaml.
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_COMMANDS_H
#define IMGFACTORY_CLI_COMMANDS_H

#include "base/err.h"

#include <stddef.h>

struct command;

/* Bits, so that the table of options tells in one number which commands take one. */
enum command_kind {
    COMMAND_BUILD = 1 << 0,
    COMMAND_PUSH = 1 << 1,
    COMMAND_PULL = 1 << 2,
    COMMAND_INSPECT = 1 << 3,
    COMMAND_TAG = 1 << 4,
    COMMAND_LOGIN = 1 << 5,
    COMMAND_LOGOUT = 1 << 6,
    COMMAND_CHECK = 1 << 7,
    COMMAND_WHY = 1 << 8,
    COMMAND_CLEAN = 1 << 9,
    COMMAND_NEW = 1 << 10,
    COMMAND_FIND = 1 << 11,
    COMMAND_UNIT = 1 << 12,
    COMMAND_HISTORY = 1 << 13,
    COMMAND_DIFF = 1 << 14,
    COMMAND_HELP = 1 << 16,
    COMMAND_EXPLAIN = 1 << 17,
    COMMAND_COMPLETION = 1 << 18,
    COMMAND_MANUAL = 1 << 19,
    COMMAND_SHOW_CONFIG = 1 << 20,
    COMMAND_STATUS = 1 << 23,
    COMMAND_LOCK = 1 << 24,
    COMMAND_SBOM = 1 << 28,
    COMMAND_PROVENANCE = 1 << 15,
    COMMAND_VEX = 1 << 21,
    COMMAND_COPY = 1 << 30,
    COMMAND_PRUNE = 1 << 25,
    COMMAND_KEY = 1 << 26,
    COMMAND_VERIFY = 1 << 27,
    COMMAND_SYSTEM = 1 << 29,
    COMMAND_ASSEMBLE = 1 << 22,
};

/* Those that print what the program knows of itself: no site file and nothing of this machine has a part in it. */
#define COMMANDS_OF_ITSELF (COMMAND_HELP | COMMAND_EXPLAIN | COMMAND_COMPLETION | COMMAND_MANUAL)

/* One command. */
struct command_row {
    enum command_kind kind;
    const char *name, *words; /* what follows the options, as --help writes it */
    const char *since;        /* the first version that has it */
    const char *line;         /* one line of help, for lists */
    const char *help;         /* what it does, for its own --help */
    size_t least_words, most_words;
    size_t image_words; /* how many of its first words are images: none of these may be a command's name */
    bool (*run)(struct command *command, struct err *err);
};

/* Of a command whose first word says what it does: one of these words. */
struct command_verb {
    const char *name, *words; /* what follows it, as --help writes it */
    const char *line;         /* one line of help */
    size_t least, most;       /* words behind it */
};

struct commands {
    const struct command_row *items; /* the first is meant where the command line has no command word */
    size_t count;
};

/* Returns the table. */
struct commands commands_all(void);
/* Returns the words that a command's first word is one of, the last one with a NULL for its name; NULL: it can be any. */
const struct command_verb *command_verbs(const struct command_row *command);

#endif
