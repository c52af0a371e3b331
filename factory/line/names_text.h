/* SPDX-License-Identifier: Apache-2.0 */
/* names_text.h - the manifest that a name amounts to
 *
 * Threads: no state.
 * Owns: nothing; texts live in the arena.
 */
#ifndef IMGFACTORY_LINE_NAMES_TEXT_H
#define IMGFACTORY_LINE_NAMES_TEXT_H

#include "bill/bill.h"
#include "line/names.h"

/* Writes it as it is read for an image by name. */
const char *names_text(struct arena *arena, const struct name_answer *answer);
/* Prints it for people who go on from there: the same keys, and behind a '#' each what was found in the packages, if a bill
 * (may be NULL) tells it. The image of it has the same bytes. */
void names_print(FILE *out, const struct name_answer *answer, const struct bill *bill);

#endif
