/* SPDX-License-Identifier: Apache-2.0 */
/* confinement.h - what the threads of a command may open, made of what its options and files name
 *
 * All threads read only what was named here, and make no socket (io/confine.h). The keeper may besides change what the call
 * is told in (a lock, --metrics, pages), without reading what else is there. What needs more is the broker's
 * (io/broker.h). Where main does more than what is confined (--watch, the first half of verify: is_main_left),
 * main, the keeper and the thread for signals are not confined. A kernel that cannot do it is no error: a line of --verbose
 * tells.
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
/* Allows the keeper to change, but not to read, what is in the folder of a file; NULL is fine. */
void confinement_keep(struct command *command, const char *file);
/* Confines the keeper, before hostile bytes are read. */
void confinement_close(struct command *command);
/* Has the thread for signals go on as one that the calling thread, which is confined, started. */
void confinement_settle(struct command *command);
/* Returns what plant_open() confines to; NULL where nothing is confined. */
const struct confine_places *confinement_places(struct command *command);
/* Confines the calling thread, and those that it starts. */
void confinement_enter(struct command *command);
/* Ends the keeper; folders that were made and stayed empty are removed. */
void confinement_stop(struct command *command);

#endif
