/* SPDX-License-Identifier: Apache-2.0 */
/* option_table.h - the table of options, for the parser and --help
 *
 * Threads: no shared state.
 */
#ifndef IMGFACTORY_CLI_OPTION_TABLE_H
#define IMGFACTORY_CLI_OPTION_TABLE_H

#include "base/alters.h"
#include "base/text.h"
#include "cli/options.h"

enum option_kind {
    OPTION_STRING,
    OPTION_STRINGS,
    OPTION_MAYBE_STRING,
    OPTION_NUMBER,
    OPTION_DURATION,
    OPTION_SIZE,
    OPTION_BOOL,
    OPTION_FLAG
};

struct option_row {
    char letter; /* 0: none */
    const char *name, *value, *help;
    enum option_kind kind;
    size_t offset;     /* of its field in struct options */
    unsigned commands; /* enum command_kind that take it and tell of it in --help */
    unsigned idle; /* enum command_kind that take it, so that a script can give all the same, but have no use for it */
    uint64_t least, most; /* OPTION_NUMBER; OPTION_SIZE: least alone, in bytes */
    enum alters alters;   /* what it can do to a finished product */
};

struct option_rows {
    const struct option_row *items;
    size_t count;
};

/* Returns the table. */
struct option_rows option_table(void);
/* Finds an option by its letter or its name without dashes; NULL when there is none. Of several of a name it is the one that
 * the commands take (0: not known yet), else the first: a flag, so that before the command is known no word is taken for its
 * value. */
const struct option_row *option_of_letter(char letter);
const struct option_row *option_of_name(struct text name, unsigned commands);
/* Tells whether the option's value may be the next argument. */
bool option_takes_next(const struct option_row *row);
/* Returns what --help of a command says of an option. */
const char *option_help(const struct option_row *row, enum command_kind command);

#endif
