/* SPDX-License-Identifier: Apache-2.0 */
/* night_pages.h - `--report DIR`, and `report:` of a site's nights: static pages of what a run did
 *
 * The folder may hold other files: what does not have our mark (PAGE_MARK) is neither replaced nor removed. Pages of images that
 * the run does not have are removed. Runs that write to one folder wait for each other.
 * Threads: main; the writing as night_told.h says.
 * Fails with: ERR_USAGE (no folder, or an index.html of somebody else's), ERR_LOCAL.
 */
#ifndef IMGFACTORY_CLI_NIGHT_PAGES_H
#define IMGFACTORY_CLI_NIGHT_PAGES_H

#include "cli/command.h"
#include "line/batch.h"

/* Returns where pages go: --report, or in a night report: of the site file; NULL: nowhere. */
const char *night_pages_folder(const struct command *command);
/* Checks, before anything begins, that pages can be written there; the folder is made when it is not there. */
bool night_pages_check(const struct command *command, struct err *err) MUST_CHECK;
/* Makes the pages of a run while its results are there. */
void night_pages_note(struct command *command, const struct batch *batch, const struct run_options *options,
                      bool is_night);
/* Writes them; nothing when there are none. */
bool night_pages_write(const struct command *command, struct err *err) MUST_CHECK;

#endif
