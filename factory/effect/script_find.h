/* SPDX-License-Identifier: Apache-2.0 */
/* script_find.h - what find(1) prints in a maintainer script, for a loop that reads it
 *
 * Known when each condition is decided by a file's name, kind or depth, or asks whether it is root's, as all are at a first
 * installation; when nothing is done with the files but to print them; and when they are at most 200.
 * Private to script_*.c.
 * Threads: one.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_FIND_H
#define IMGFACTORY_EFFECT_SCRIPT_FIND_H

#include "effect/script_world.h"

/* Lists what a call of find prints: files of packages, and of what scripts made; false when it is none, or that is not known. */
bool script_find(struct script_world *world, const struct shell_call *call, const char **ret_printed);

#endif
