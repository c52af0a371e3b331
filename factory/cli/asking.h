/* SPDX-License-Identifier: Apache-2.0 */
/* asking.h - one line of the user's: from the terminal, without echo where it is a secret, or from a descriptor
 *
 * Threads: main only.
 * Owns: the line is the caller's, malloc'd; a secret is wiped with secret_done().
 * Fails with: ERR_USAGE (nobody to ask, nothing given, too long), ERR_CANCELLED.
 */
#ifndef IMGFACTORY_CLI_ASKING_H
#define IMGFACTORY_CLI_ASKING_H

#include "cli/command.h"

/* What is asked for. */
struct asking {
    const char *prompt;  /* as the terminal shows it: "Password" */
    const char *what;    /* as messages call it: "password" */
    const char *instead; /* how else it can be given */
    bool is_secret, is_empty_fine;
};

/* Reads a line of a descriptor, and nothing behind it. */
bool asking_read(const struct command *command, int fd, const struct asking *asking, char **ret_line,
                 struct err *err) MUST_CHECK;
/* Asks on the terminal. */
bool asking_terminal(const struct command *command, const struct asking *asking, char **ret_line,
                     struct err *err) MUST_CHECK;

#endif
