/* names_exec.h - the programs that a packaged service names: ExecStart= of a unit, DAEMON= of an init script
 *
 * systemd.service(5): only what is needed to tell programs: lines continued by a backslash, the prefixes "@-:+!", words.
 * Threads: no state.
 */
#ifndef IMGFACTORY_LINE_NAMES_EXEC_H
#define IMGFACTORY_LINE_NAMES_EXEC_H

#include "base/text.h"

/* Adds the words of the service's commands that are absolute paths, canonical, in their order but what follows `exec` first,
 * each once; at most 16. */
void names_exec_list(struct arena *arena, struct text service, struct strings *ret_paths);

/* Returns whether a unit is a job that ends by itself. */
bool names_exec_is_job(struct text service);

#endif
