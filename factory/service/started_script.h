/* SPDX-License-Identifier: Apache-2.0 */
/* started_script.h - what a command starts in its turn, when it is a shell, or a shell script of the packages
 *
 * Evaluated by effect/script_calls.h over constant data; nothing is run. The variables of the service are known to it.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 * Fails with: as packaged.h.
 */
#ifndef IMGFACTORY_SERVICE_STARTED_SCRIPT_H
#define IMGFACTORY_SERVICE_STARTED_SCRIPT_H

#include "effect/script_calls.h"
#include "service/environment.h"
#include "service/packaged.h"

struct started_command {
    struct strings words; /* up to the first that is not constant; may be none */
    bool is_constant;
};

struct started_commands {
    struct started_command *items;
    size_t count, capacity;
    bool is_lacking; /* a file of variables is not there */
};

/* Makes the text that a shell would evaluate for the words of a command: what follows "sh -c", a script of the packages, or the
 * command itself (*ret_is_shell is then false). Its name and `made` are the caller's to set. */
bool started_script_text(struct arena *arena, const struct packaged *packaged, const struct environment *environment,
                         const struct strings *words, struct script_text *ret_script, bool *ret_is_shell,
                         struct err *err) MUST_CHECK;
/* Lists the commands of a text. */
void started_script_commands(struct arena *arena, const struct packaged *packaged, const struct script_text *script,
                             struct started_commands *ret_commands);

#endif
