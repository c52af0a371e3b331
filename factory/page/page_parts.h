/* SPDX-License-Identifier: Apache-2.0 */
/* page_parts.h - the parts of pages; private to page_*.c
 *
 * Threads: no state.
 */
#ifndef IMGFACTORY_PAGE_PAGE_PARTS_H
#define IMGFACTORY_PAGE_PAGE_PARTS_H

#include "page/page.h"
#include "page/template.h"

/* Sets a number of bytes: NAME as people read it, and `exact` for machines. */
void page_set_bytes(struct arena *arena, struct template_scope *scope, const char *name, const char *exact,
                    uint64_t bytes);
/* Sets what both kinds of pages say of an image: its row. */
void page_set_image(struct arena *arena, struct template_scope *scope, const struct page_run *run,
                    const struct page_image *image);
/* Returns the file of an image's page below the folder. */
const char *page_file_of(struct arena *arena, const struct page_image *image);
/* Returns a template of templates/. */
struct text page_template(const char *name);

/* --- page_space.c: what takes the space --- */

/* Sets the picture of a platform and the lists beside it; `number` makes its ids differ from those of others. */
void page_set_space(struct arena *arena, struct template_scope *scope, const struct page_platform *platform,
                    size_t number);

/* --- page_sizes.c: the line of sizes --- */

/* Sets the line and its table; nothing when there are no nights. */
void page_set_sizes(struct arena *arena, struct template_scope *scope, const struct page_run *run,
                    const struct page_image *image);

/* --- page_change.c: what the run changed --- */

/* Sets what changed on all platforms. */
void page_set_changes(struct arena *arena, struct template_scope *scope, const struct page_image *image);

#endif
