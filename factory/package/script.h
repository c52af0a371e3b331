/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - what starts a script: its "#!" line, and the program that env(1) looks for
 *
 * execve(2), "Interpreter scripts"; env(1) of coreutils, "-S".
 * Threads: no state.
 */
#ifndef IMGFACTORY_PACKAGE_SCRIPT_H
#define IMGFACTORY_PACKAGE_SCRIPT_H

#include "base/text.h"

#define SCRIPT_LINE_MAX_BYTES 255
/* Enough of a file for "#!" and the longest line. */
#define SCRIPT_HEAD_BYTES ((size_t)2 + SCRIPT_LINE_MAX_BYTES)
/* Interpreters that are scripts themselves, one behind the other. */
#define SCRIPT_DEPTH_MAX 4

/* Where env(1) looks without a PATH of the image's own; NULL ends the list. */
extern const char *const script_path_dirs[];

/* Returns the line after "#!" without the blanks around it, or NULL when the bytes do not begin so. As for the kernel a
 * carriage return is no blank. */
const char *script_line(struct arena *arena, struct text head);
/* Returns the program that env(1) starts for the one argument that the kernel hands it; NULL for none. Without -S the
 * whole argument is a name, blanks and all. */
const char *script_env_program(struct arena *arena, struct text argument);

#endif
