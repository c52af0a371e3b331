/* SPDX-License-Identifier: Apache-2.0 */
/* unmet.h - what a service's configuration and program name and its image does not have: told before anyone starts it
 *
 * A configuration that names a key, a directory to include or a program ends most services when it is not there; so does the
 * configuration itself, which a program names when nobody gives it another ("/etc/samba/smb.conf"). What makes them is the administrator, or a
 * script that nothing does.
 * Read are texts below /etc of own packages, without comment lines; of the program, and of the own libraries that it needs, only paths that are
 * called as it, its package or its source.
 * A program that the configuration pipes to ("|rotatelogs -l") is wished for, of any selected package.
 * Threads: one.
 * Owns: nothing; results live in the arena.
 */
#ifndef IMGFACTORY_SERVICE_UNMET_H
#define IMGFACTORY_SERVICE_UNMET_H

#include "service/references.h"

/* Adds notes, and wishes for programs that are piped to. references_find() was asked before. */
void unmet_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                struct automatic *found);

#endif
