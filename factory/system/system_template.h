/* SPDX-License-Identifier: Apache-2.0 */
/* system_template.h - templates of system containers: $NAME, ${NAME} and $$, and the values for them
 *
 * As Python's string.Template, which `atomic` used: a name is [_A-Za-z][_A-Za-z0-9]*, "$$" a dollar, any other dollar is
 * an error. One thing is safer than there: within a string of JSON a value is written as JSON has it, so that no quote in
 * a value ends the string. Elsewhere in JSON it stands as it is ($HOST_UID, lists of capabilities).
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 * Fails with: ERR_MALFORMED ("FILE:LINE: …"): a dollar that is none, a variable nobody gives a value, more than
 * SYSTEM_FILLED_MAX_BYTES, control characters where a file has lines.
 */
#ifndef IMGFACTORY_SYSTEM_SYSTEM_TEMPLATE_H
#define IMGFACTORY_SYSTEM_SYSTEM_TEMPLATE_H

#include "base/text.h"

#define SYSTEM_FILLED_MAX_BYTES ((size_t)4 << 20)
#define SYSTEM_VARIABLES_MAX 1000 /* of one template, and of one manifest.json */

/* How values are put into a file. */
enum system_template_kind {
    SYSTEM_TEMPLATE_JSON,
    SYSTEM_TEMPLATE_LINES, /* units, tmpfiles.d, paths: a value is one line */
    SYSTEM_TEMPLATE_PLAIN  /* any other file: values stand as they are */
};

/* A variable and its value. */
struct system_value {
    const char *name, *value;
};

struct system_values {
    struct system_value *items;
    size_t count, capacity;
};

/* A template: the file's name is for messages. */
struct system_template {
    const char *name;
    struct text text;
    enum system_template_kind kind;
};

/* A variable that a template uses, where it does so first. */
struct system_template_use {
    const char *name;
    size_t line; /* from 1 */
};

struct system_template_uses {
    struct system_template_use *items;
    size_t count, capacity;
};

/* Returns whether a word can be a variable's name. */
bool system_template_is_name(const char *name);
/* Finds a value; NULL when there is none. */
const char *system_values_get(const struct system_values *values, const char *name);
/* Adds or replaces one. */
void system_values_set(struct arena *arena, struct system_values *values, const char *name, const char *value);
/* Lists the variables of a template, each once; fails only for a dollar that is none, and for too many. */
bool system_template_uses(struct arena *arena, const struct system_template *source,
                          struct system_template_uses *ret_uses, struct err *err) MUST_CHECK;
/* Puts values in. */
bool system_template_fill(struct arena *arena, const struct system_template *source, const struct system_values *values,
                          struct text *ret_text, struct err *err) MUST_CHECK;

#endif
