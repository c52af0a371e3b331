/* SPDX-License-Identifier: Apache-2.0 */
/* versions.h - `imgfactory --version`: with -v the libraries that this process has loaded, and their versions
 *
 * Libraries are asked as they are loaded, by the names of their functions: no folder is linked with what it does not use.
 * Threads: main only.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_VERSIONS_H
#define IMGFACTORY_CLI_VERSIONS_H

#include "base/list.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints the program's version, a line; and with `has_libraries` a line for each library. */
void versions_print(FILE *out, bool has_libraries);

/* Lists what it prints: "imgfactory 0.3.0", "libsolv 0.7.23"; without what is within the program, and without paths. */
struct strings versions_list(struct arena *arena);

#endif
