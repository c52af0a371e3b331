/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - text in lines that fit a terminal of 80 columns
 *
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_FOLD_H
#define IMGFACTORY_CLI_FOLD_H

#include "base/text.h"

#include <stdio.h>

#define FOLD_WIDTH 80 /* columns, what every terminal has */

/* Prints words in lines of at most FOLD_WIDTH columns. `column` is where the first one goes on and where the others begin; a
 * line's end in the text counts as a blank. Ends with a line's end. */
void fold_print(FILE *out, struct text text, size_t column);
/* Returns the longest beginning of a text that has at most `most` bytes and ends where a part of the sentence does, before
 * ';', ',' or ' (' outside of brackets; all of it when it is as short or has no such place. */
struct text fold_brief(struct text text, size_t most);

#endif
