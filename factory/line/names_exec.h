/* SPDX-License-Identifier: Apache-2.0 */
/* names_exec.h - the programs that a packaged service names: ExecStart= of a unit, DAEMON= of an init script
 *
 * Not how the service is run (service/running.h): which program it may be about, before the packages are chosen, so a
 * path that a shell of the command is given counts as well.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LINE_NAMES_EXEC_H
#define IMGFACTORY_LINE_NAMES_EXEC_H

#include "service/unit_file.h"

/* Adds the words of the unit's commands / of an init script's DAEMON= that are absolute paths, canonical, in their order but
 * what follows `exec` first, each once; at most 16. */
void names_exec_of_unit(struct arena *arena, const struct unit_file *unit, struct strings *ret_paths);
void names_exec_of_script(struct arena *arena, struct text script, struct strings *ret_paths);

#endif
