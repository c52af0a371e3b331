/* SPDX-License-Identifier: Apache-2.0 */
/* template.h - texts with places: HTML in files of its own, and what stands in it by name
 *
 *   {{name}}            a text, escaped: nothing of it is markup
 *   {{{name}}}          markup of our own
 *   {{#name}}…{{/name}} once for each item of a list; names are looked up in the item, then around it
 *   {{^name}}…{{/name}} when there is no item, text or markup of that name
 * Threads: no state.
 * Owns: nothing; all lives in the arena given. Names are borrowed.
 */
#ifndef IMGFACTORY_PAGE_TEMPLATE_H
#define IMGFACTORY_PAGE_TEMPLATE_H

#include "base/text.h"

/* What a template's places are filled with. Begin with template_scope(). */
struct template_scope;

#define TEMPLATE_TEXT_MAX ((size_t)400) /* bytes of a text; "…" stands for the rest */

/* Makes an empty one; `outer` may be NULL. */
struct template_scope *template_scope(struct arena *arena, const struct template_scope *outer);
/* Sets a text, copied; NULL and "" are as if it was not set. */
void template_text(struct arena *arena, struct template_scope *scope, const char *name, const char *text);
/* Sets markup of our own, borrowed; empty is as if it was not set. */
void template_markup(struct arena *arena, struct template_scope *scope, const char *name, struct text markup);
/* Adds an item to a list, and returns its scope. */
struct template_scope *template_item(struct arena *arena, struct template_scope *scope, const char *name);
/* Fills a template in; false when the buffer is full. A template that is not well formed ends the process: it is ours. */
bool template_fill(struct text template, const struct template_scope *scope, struct buf *out) MUST_CHECK;
/* Appends a text as HTML and SVG may have it, in attributes, too: escaped, on one line, without what a parser or a reader could
 * stumble over, and cut at TEMPLATE_TEXT_MAX. False when the buffer is full. */
bool template_escape(const char *text, struct buf *out) MUST_CHECK;

#endif
