/* SPDX-License-Identifier: Apache-2.0 */
/* wanted.h - the architectures that a command on finished images was asked for: --arch of check, pull and inspect
 *
 * Threads: main only.
 * Owns: nothing; all lives in the command's arena.
 */
#ifndef IMGFACTORY_CLI_WANTED_H
#define IMGFACTORY_CLI_WANTED_H

#include "cli/command.h"
#include "oci/platforms.h"
#include "plan/arch.h"

struct wanted {
    struct arches arches;      /* all that are known */
    const struct arch **items; /* those of --arch */
    size_t count;              /* 0: all, of an image also what no arch file is for */
    struct platforms platforms;
};

/* Loads the arch files and reads --arch: names with commas, or "all", as which none counts. */
bool wanted_read(struct command *command, struct wanted *ret_wanted, struct err *err) MUST_CHECK;
/* Returns which children of an index are to be read for it; `is_sparse_fine` as in layout_read.h. */
struct layout_wanted wanted_of_index(const struct wanted *wanted, bool is_sparse_fine);
/* Returns whether an architecture is one of them. */
bool wanted_has(const struct wanted *wanted, const struct arch *arch);

#endif
