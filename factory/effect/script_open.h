/* SPDX-License-Identifier: Apache-2.0 */
/* script_open.h - what of a known command in a maintainer script is left open: it may not be reached, or a path is not known
 *
 * Private to script_strange.c.
 * Threads: pure function of its inputs.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_OPEN_H
#define IMGFACTORY_EFFECT_SCRIPT_OPEN_H

#include "effect/script_strange.h"

/* Finds what of a command that makes or changes paths is neither done for sure nor without an object; returns it in words ("chown
 * $DIR"), with its effect, or NULL when nothing is open. */
const char *script_open_find(struct arena *arena, const struct script_strange_request *request,
                             const struct shell_call *call, enum effect *ret_effect);

#endif
