/* SPDX-License-Identifier: Apache-2.0 */
/* paged.h - the pages of a run (page/page.h) out of its results
 *
 * Threads: main, after batch_run() and published_keep().
 * Owns: nothing; pages live in the arena given.
 */
#ifndef IMGFACTORY_LINE_PAGED_H
#define IMGFACTORY_LINE_PAGED_H

#include "line/batch.h"
#include "page/page.h"

struct paged_run {
    const struct batch *batch;
    const struct run_options *options;
    bool is_night, is_dry_run;
    double seconds;
};

/* Makes them. */
void paged_make(struct arena *arena, const struct paged_run *run, struct page_files *ret_files);

#endif
