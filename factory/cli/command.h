/* command.h - one call of imgfactory: from argv to an exit status
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_COMMAND_H
#define IMGFACTORY_CLI_COMMAND_H

/* Does what the command line asks for and returns the exit status (README.md lists the classes). */
int command_run(int argc, char **argv);

#endif
