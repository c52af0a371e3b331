/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - one call of imgfactory: from argv to an exit status
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_CALL_H
#define IMGFACTORY_CLI_CALL_H

/* Does what the command line asks for and returns the exit status (factory/cli/README.md lists the classes). */
int call_run(int argc, char **argv);

#endif
