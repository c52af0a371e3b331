/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - a page of the tree (Markdown) as the man macros have it
 *
 * What our pages use is understood: headings, paragraphs, lists, tables (the first cell becomes a term), examples between fences,
 * code, links (their text stays) and emphasis (which is left out).
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_PAGE_H
#define IMGFACTORY_CLI_PAGE_H

#include "base/text.h"

#include <stdio.h>

/* Returns the part of a page behind the line `from` (NULL: from its beginning) and before the line `until` (NULL: to its end);
 * empty when there is no such line. */
struct text page_part(struct text page, const char *from, const char *until);
/* Prints a part of a page. Its title (#) is left out; headings (##) become sections, deeper ones parts of them. */
void page_print(FILE *out, struct text part);

#endif
