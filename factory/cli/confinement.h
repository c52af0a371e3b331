/* SPDX-License-Identifier: Apache-2.0 */
/* confinement.h - what the threads of a command may open, made of what its options and files name
 *
 * Two threads stay outside: the keeper, which reads credentials and certificates, makes temporary files and starts the
 * network's thread, and the one for signals, which reads nothing. The network's thread has confines of its own. All else
 * reads only what was named here, and makes no socket (io/confine.h). A kernel that cannot do it is no error: a line of
 * --verbose tells.
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_CONFINEMENT_H
#define IMGFACTORY_CLI_CONFINEMENT_H

#include "cli/command.h"

/* Starts the keeper, unless the user wants none (--no-confine) or the kernel has nothing to confine with. */
void confinement_start(struct command *command);
/* Allows to read a file, or all below a directory; NULL is fine. */
void confinement_read(struct command *command, const char *path);
/* Allows to read a directory of configuration, with what the links in it lead to; NULL is fine. */
void confinement_read_linked(struct command *command, const char *dir);
/* The same of a file or folder that a source names, which the broker may read, too (file: URLs). */
void confinement_read_source(struct command *command, const char *path);
/* Allows to write below a directory, which is made (with this mode) where it is not there, and below what the links in it
 * lead to (an image of the output that lies elsewhere); NULL is fine. */
void confinement_write(struct command *command, const char *dir, mode_t mode);
/* Returns what plant_open() confines to; NULL where nothing is confined. */
const struct confine_places *confinement_places(struct command *command);
/* Confines the calling thread, and those that it starts. */
void confinement_enter(struct command *command);
/* Ends the keeper; folders that were made and stayed empty are removed. */
void confinement_stop(struct command *command);

#endif
