/* SPDX-License-Identifier: Apache-2.0 */
/* script_mode.h - modes of files as chmod(1), mkdir(1), install(1) and umask(1) take them
 *
 * Private to shell_*.c and script_*.c.
 * Threads: pure function of its input.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_MODE_H
#define IMGFACTORY_EFFECT_SCRIPT_MODE_H

#include "base/text.h"

/* What a shell takes away from new files before a script says otherwise. */
#define SCRIPT_UMASK 022u

/* What becomes of a mode. */
struct script_mode {
    uint32_t lost, set; /* bits that go, and that come then */
    uint32_t search;    /* that come of directories and of what somebody may execute (X) */
};

/* Reads an octal or symbolic mode (POSIX chmod, "Extended Description"); false when it is neither. `umask` holds for
 * clauses that say nobody ("+w"). */
bool script_mode_parse(const char *text, uint32_t umask, struct script_mode *ret_mode);
/* Returns the mode after the change. */
uint32_t script_mode_apply(const struct script_mode *mode, uint32_t before, bool is_directory);

#endif
