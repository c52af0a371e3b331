/* SPDX-License-Identifier: Apache-2.0 */
/* shells.h - the tools that shell scripts of an image call
 *
 * A script that is kept and can be started names its commands (effect/shell_words.h); what is neither the shell's own nor there
 * yet, and is a program of a selected package or one that every system has (plan/family.h, tools), comes along. Files that
 * it reads (". FILE") are looked into as well. A program of the service that names /bin/sh wants a shell where a script of the
 * service is kept that is no command.
 * A program of the service that hands texts to the shell (it imports system or popen) and has a string that begins as a command
 * does ("rm -rf %s") wants the shell and that tool; of "exec PROGRAM" another program is told when it is not there.
 * A script that came with many others and whose name nothing says is started by nobody (service/spoken.h).
 * A whole interpreter comes only for a script that somebody named, not for one of a directory of many.
 * Threads: pure function of its inputs.
 * Owns: nothing; results live in the arena, and point into packages.
 */
#ifndef IMGFACTORY_SERVICE_SHELLS_H
#define IMGFACTORY_SERVICE_SHELLS_H

#include "service/interpreted.h"
#include "service/own.h"

#define SHELLS_SOURCED_MAX 16 /* files that one script reads */

/* Adds the wishes, each with its giver, the packages to select for them if they are to be had, and notes. */
void shells_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                 struct wishes *wishes, struct strings *names, struct strings *notes);

#endif
