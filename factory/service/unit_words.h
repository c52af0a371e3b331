/* SPDX-License-Identifier: Apache-2.0 */
/* unit_words.h - what stands in a unit's values: specifiers, lists of words, command lines
 *
 * systemd.unit(5), "Specifiers": those of the unit's name are put in here, those of every image by dropin.h; what only a
 * running machine knows has no value. systemd.service(5), "Command lines".
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 */
#ifndef IMGFACTORY_SERVICE_UNIT_WORDS_H
#define IMGFACTORY_SERVICE_UNIT_WORDS_H

#include "service/environment.h"

/* A command of ExecStart= and the like. */
struct unit_command {
    struct strings words; /* at least the program */
    const char *argv0;    /* '@': what the program is told it was called; or NULL */
    bool is_failure_fine; /* '-' */
    bool is_privileged;   /* '+', '!': the user of the unit does not count */
};

struct unit_commands {
    struct unit_command *items;
    size_t count, capacity;
};

/* Puts values for specifiers in a string of the unit of that name; NULL when one has none in an image. */
const char *unit_words_expand(struct arena *arena, const char *unit, const char *string);
/* Splits a value into words and puts values for specifiers. Words with a specifier that has none in an image are added to `unknown` as
 * they are written; without it (NULL) the value is refused for one. Returns NULL, or why it is not one for an image. */
const char *unit_words_list(struct arena *arena, const char *unit, const char *value, struct strings *unknown,
                            struct strings *ret_words);
/* Reads the commands of a value, of which there may be several with ";" between. Returns NULL, or why they are not for an
 * image. */
const char *unit_words_commands(struct arena *arena, const char *unit, const char *value,
                                struct environment *environment, struct unit_commands *commands);

#endif
