/* SPDX-License-Identifier: Apache-2.0 */
/* script_wishes.h - what maintainer scripts would have made, as wishes: nothing is run
 *
 * Looked at: the scripts that installing runs (format.h), as shell_run.h evaluates them: constant words, and conditions that
 * ask for a first installation taken as true. Accounts and directories of commands that may not be reached are taken too,
 * all else of them is only told. Each wish names its giver: "the postinst of nsd, line 6". All are automatic: manifest and
 * recipes win, and so does what the tree has otherwise.
 * Threads: pure function of its inputs.
 * Owns: nothing; results live in the arena, and point into packages.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_WISHES_H
#define IMGFACTORY_EFFECT_SCRIPT_WISHES_H

#include "effect/script_calls.h"

/* Packages in the order in which they are installed, and the files that are there then. */
struct script_wishes_request {
    const struct package *const *packages;
    size_t other_count; /* the first of them: what their scripts would do is made, but not told where it cannot be */
    size_t own_count;   /* the others, of the service */
    const struct fileset *set;
    bool is_installed; /* what configures the machine is made, too, as by a package manager */
};

/* Finds what the scripts of the packages would have made. Notes are of what is known to be done by a script and cannot be
 * made here: a line each. */
void script_wishes_find(struct arena *arena, const struct script_wishes_request *request, struct wishes *ret_wishes,
                        struct strings *ret_notes);
/* Finds what a script would have made that is none of a package's maintainer scripts; its name is each wish's giver. *ret_left
 * are the commands that may do more than what is made here, as they are written. */
void script_wishes_of_text(struct arena *arena, const struct script_wishes_request *request,
                           const struct script_text *script, struct wishes *ret_wishes, struct strings *ret_left);

#endif
