/* SPDX-License-Identifier: Apache-2.0 */
/* clean.h - `imgfactory clean`: makes room in the cache
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_CLEAN_H
#define IMGFACTORY_CLI_CLEAN_H

#include "cli/command.h"

/* Removes what no running process may need, or only what passes --cache-limit, and reports it (--json: one object). */
bool clean_run(struct command *command, struct err *err) MUST_CHECK;

#endif
