/* SPDX-License-Identifier: Apache-2.0 */
/* environment.h - variables of a service: files as EnvironmentFile= reads them, Environment=, and what they stand for
 *
 * systemd.exec(5), "EnvironmentFile="; systemd.service(5), "Command lines": "$NAME" as a word of its own becomes the
 * words of the value (none when it is not set), "${NAME}" anywhere in a word becomes the value, "$$" a dollar.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 */
#ifndef IMGFACTORY_SERVICE_ENVIRONMENT_H
#define IMGFACTORY_SERVICE_ENVIRONMENT_H

#include "base/text.h"

#define ENVIRONMENT_VARIABLES_MAX 1000
#define ENVIRONMENT_WORDS_MAX 1000
#define ENVIRONMENT_WORD_BYTES_MAX 16384

/* The reason of a refusal at one of these bounds; others are of the value's form. */
extern const char environment_too_much[];

struct environment_variable {
    const char *name, *value;
    bool is_used; /* a command stood for its value */
};

struct environment {
    struct environment_variable *items; /* each name once; a value that only a running machine knows is NULL */
    size_t count, capacity;
    struct strings unset;    /* names that a command has as "${NAME}", and that are empty, or nothing sets */
    struct strings left_out; /* words of a command that only a running machine knows, which have no place in it */
};

/* Sets a variable, in the place of a former value; NULL: only a running machine knows it. Returns NULL, or why it cannot be. */
const char *environment_set(struct arena *arena, struct environment *environment, struct text name, const char *value);
/* Reads a file of assignments. What is no assignment is passed over, as systemd does. Returns NULL, or why the file is
 * refused. */
const char *environment_read(struct arena *arena, struct environment *environment, struct text file);
/* Returns a variable's value, or NULL. */
const char *environment_get(const struct environment *environment, struct text name);
/* Adds to `words` what one word of a command line becomes, and to the environment what there is to tell of it. Returns NULL, or why it is refused. */
const char *environment_expand(struct arena *arena, struct environment *environment, const char *word,
                               struct strings *words);

#endif
