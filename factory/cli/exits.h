/* SPDX-License-Identifier: Apache-2.0 */
/* exits.h - the classes of exit statuses in words, for `explain`, --help and the manual pages
 *
 * factory/cli/README.md has the same table; a test compares them.
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_EXITS_H
#define IMGFACTORY_CLI_EXITS_H

#include "base/err.h"

#include <stddef.h>

struct command;

/* One class: what a script gets as exit status. */
struct exit_row {
    int status;
    enum err_kind kind;  /* whose name the report gives */
    const char *brief;   /* a few words, for lists */
    const char *meaning; /* what it means */
    const char *act;     /* what to look at, and what to do */
};

struct exits {
    const struct exit_row *items;
    size_t count;
};

/* Returns the table, by status. */
struct exits exits_all(void);
/* Runs `explain`: tells what the classes mean that are named by status or kind; without words lists all. Fails with ERR_USAGE
 * for what is none. */
bool exits_run(struct command *command, struct err *err);

#endif
