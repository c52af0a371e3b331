/* SPDX-License-Identifier: Apache-2.0 */
/* change_print.h - what changed, for people: lines of text, and Markdown
 *
 * What came from outside stands on one line, cleaned (text_shown()); in Markdown besides in a code span, so that nothing of it
 * is markup.
 * Threads: no state.
 */
#ifndef IMGFACTORY_CHANGE_CHANGE_PRINT_H
#define IMGFACTORY_CHANGE_CHANGE_PRINT_H

#include "change/change.h"

#include <stdio.h>

/* Prints one platform. */
void change_print_text(FILE *out, const struct change *change);
void change_print_markdown(FILE *out, const struct change *change);

#endif
