/* SPDX-License-Identifier: Apache-2.0 */
/* roff.h - text as the man macros have it, in lines that fit, for groff and mandoc
 *
 * Text is ASCII but for dots (…), with what is between backquotes in bold.
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_ROFF_H
#define IMGFACTORY_CLI_ROFF_H

#include <stdio.h>

/* Prints the head of a page and its section NAME: imgfactory-NAME, or without one the program's own; `line` says what it is. */
void roff_head(FILE *out, const char *name, char section, const char *line);
/* Prints text; a line's end in it is a blank. */
void roff_text(FILE *out, const char *text);
/* Prints text between what goes before and behind it as it stands. */
void roff_line(FILE *out, const char *before, const char *text, const char *behind);
/* Prints a paragraph in lines that fit, with `end` behind its last word. */
void roff_paragraph(FILE *out, const char *text, const char *end);
/* Prints a name in bold with what it means below it. */
void roff_term(FILE *out, const char *name, const char *meaning);

#endif
