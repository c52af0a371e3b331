/* SPDX-License-Identifier: Apache-2.0 */
/* deploy_text.h - words as units and cluster files write them, for deploy/ and system/
 *
 * Names and values come from images of anybody: nothing of them can end a line or begin another word.
 * Threads: pure functions of their inputs.
 * Owns: nothing; texts live in the arena given.
 */
#ifndef IMGFACTORY_DEPLOY_DEPLOY_TEXT_H
#define IMGFACTORY_DEPLOY_DEPLOY_TEXT_H

#include "base/text.h"

/* Returns a word of a command in a unit (systemd.service(5), COMMAND LINES): '%' and '$' doubled, quoted where needed. */
const char *deploy_unit_word(struct arena *arena, const char *word);
/* Returns a value that a unit has for itself to the end of its line, with '%' doubled. */
const char *deploy_unit_value(struct arena *arena, const char *value);
/* Returns a string of YAML in double quotes, which is one of JSON, too. */
const char *deploy_yaml_string(struct arena *arena, const char *string);
/* Returns an image's name in the letters that Kubernetes takes. */
const char *deploy_text_cluster(struct arena *arena, const char *name);
/* Appends to a text that grows in the arena. */
void deploy_append(struct arena *arena, const char **text, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
