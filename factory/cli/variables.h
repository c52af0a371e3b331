/* SPDX-License-Identifier: Apache-2.0 */
/* variables.h - the variables of the environment that mean something to the program, in words, for the manual pages
 *
 * A test looks for every variable that the code reads.
 * Threads: const.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_VARIABLES_H
#define IMGFACTORY_CLI_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

struct variable_row {
    const char *name, *meaning;
};

struct variables {
    const struct variable_row *items;
    size_t count;
};

/* Returns the table. */
struct variables variables_all(void);
/* Returns whether a variable's value is shown to nobody. */
bool variable_is_secret(const char *name);

#endif
