/* SPDX-License-Identifier: Apache-2.0 */
/* completion_scripts.h - the scripts of factory/cli/completion/ within the program, each by its shell's name
 *
 * Threads: const.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_COMPLETION_SCRIPTS_H
#define IMGFACTORY_CLI_COMPLETION_SCRIPTS_H

#include "base/embedded.h"

extern const struct embedded_file completion_scripts[];
extern const size_t completion_scripts_count;

#endif
