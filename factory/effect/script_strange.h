/* SPDX-License-Identifier: Apache-2.0 */
/* script_strange.h - commands of maintainer scripts of which nobody here knows what they would do
 *
 * Whoever says that a package is installed has to be sure that its scripts would do no more than what is done. A command is
 * known when it only looks or says something, when it is about the machine that boots (services, which no container has),
 * when it is one of those that script_effects.h lists and whoever reads that list judges, or when its whole work is done
 * elsewhere (ldconfig: the loader finds what is in its own directories without a cache). One that is known, but may not be
 * reached, or whose paths only the running script knows, is none that was done (script_open.h).
 * Threads: pure functions of their inputs.
 */
#ifndef IMGFACTORY_EFFECT_SCRIPT_STRANGE_H
#define IMGFACTORY_EFFECT_SCRIPT_STRANGE_H

#include "effect/script_calls.h"
#include "plan/effect.h"

struct script_strange_request {
    const struct package *package; /* that is installed for the first time; NULL: the script is of another kind */
    const struct fileset *set;
    const struct script_text *script; /* of the package only the name counts */
    bool (*has_path)(void *self,
                     struct text path); /* whether something is at a path, as written, in the finished image */
    /* Whether scripts are known to make a directory there, with all that they change of it; for a package alone. */
    bool (*is_made)(void *self, struct text path);
    void *self;          /* for both */
    const bool *covered; /* by effect: what nobody needs of the package's scripts (EFFECT_COUNT); NULL: nothing */
    bool has_effects;    /* effects (script_effects.h) are strange, too: nobody judges them */
};

/* Lists the names of the commands, each once, of a known one what it changes ("echo > /etc/x"); "more than is understood"
 * when the script is not followed to its end. Marks in ret_left the effects by which a manifest could cover them. */
void script_strange_find(struct arena *arena, const struct script_strange_request *request, struct strings *ret_names,
                         bool ret_left[EFFECT_COUNT]);

#endif
