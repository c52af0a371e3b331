/* remote.h - the commands that work on registries and layouts: push, pull, inspect, tag, login, logout
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_REMOTE_H
#define IMGFACTORY_CLI_REMOTE_H

#include "cli/command.h"

/* Runs the command of the command line. */
bool remote_run(struct command *command, struct err *err) MUST_CHECK;

#endif
