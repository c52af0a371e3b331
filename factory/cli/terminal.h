/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - what the terminals can do that standard output and error go to
 *
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_TERMINAL_H
#define IMGFACTORY_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* How many columns the terminal of a descriptor has; 0 when it is none, or does not say. */
size_t terminal_columns(int fd);
/* Whether standard error is a terminal on which a cursor can be moved. */
bool terminal_is_drawn_on(void);
/* Whether colours are wanted on standard error: --color's word, or with NULL and "auto" where they can be drawn and NO_COLOR
 * (no-color.org) is not set. */
bool terminal_is_colored(const char *word);
/* Tells why a text is no value of --color, or NULL. */
const char *terminal_why_not_color(const char *word);

#endif
