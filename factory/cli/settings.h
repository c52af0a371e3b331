/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - `imgfactory show-config`: what holds of options, site file and environment, and where each comes from
 *
 * Made from the tables of options, of the site file's keys and of variables: what is new there comes out by itself. An option
 * of the command line counts before the site file, that before the default, as --help tells it.
 * Threads: main only.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: ERR_USAGE, ERR_LOCAL as places.h.
 */
#ifndef IMGFACTORY_CLI_SETTINGS_H
#define IMGFACTORY_CLI_SETTINGS_H

#include "cli/command.h"

/* Prints them: a line each, or as JSON. */
bool settings_run(struct command *command, struct err *err) MUST_CHECK;

#endif
