/* SPDX-License-Identifier: Apache-2.0 */
/* history_kept.h - what the state knows of past nights, printed: `imgfactory history NAME`, and what changed beside what a
 * registry has
 *
 * Threads: main only.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_HISTORY_KEPT_H
#define IMGFACTORY_CLI_HISTORY_KEPT_H

#include "past/past.h"

#include <jansson.h>
#include <stdio.h>

/* Prints the nights of all images, which have one name; as JSON one object. */
void history_kept_print(FILE *out, const struct past_images *images, bool is_json);
/* Prints a line of each image; as JSON a list of what history_kept_print() gives of each name. */
void history_kept_print_all(FILE *out, const struct past_images *images, bool is_json);
/* Prints what had changed in a record, a line each. */
void history_kept_changes(FILE *out, const struct past_record *record);
/* Puts what had changed, the sizes and from when to when it was so into an object. */
void history_kept_json(const struct past_record *record, json_t *into);
/* Finds the record of a digest at a destination, the newest that tells of changes where there is one (a tag that went back made one
 * that does not); NULL when none is kept. */
const struct past_record *history_kept_find(const struct past_images *images, const char *destination,
                                            const struct digest *digest);

#endif
