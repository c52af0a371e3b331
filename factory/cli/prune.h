/* SPDX-License-Identifier: Apache-2.0 */
/* prune.h - `imgfactory prune` and the pruning of a night: which repositories, by which rules
 *
 * Threads: main.
 * Fails with: as line/pruning.h; ERR_USAGE when nothing says what may go.
 */
#ifndef IMGFACTORY_CLI_PRUNE_H
#define IMGFACTORY_CLI_PRUNE_H

#include "cli/command.h"
#include "line/batch.h"
#include "line/pruning.h"

/* Tells whether the command's word names a site file; then its site is loaded in the place of the one that was found. */
bool prune_load_site(struct command *command, bool *ret_is_site, struct err *err) MUST_CHECK;
/* Prunes where the images of the site go, as far as something says how long their digests stay; with `only` (HOST/REPOSITORY) that
 * repository alone. Prints what went. */
bool prune_images(struct command *command, const struct batch_image *images, size_t count, const char *only,
                  struct http *http, struct err *err) MUST_CHECK;
/* Prunes one repository by the rules of the command line. */
bool prune_reference(struct command *command, struct http *http, struct err *err) MUST_CHECK;
/* After a night: prunes where its good images go, and notes it in the batch. What fails is told, and counts only when the images are
 * all good. So many images that are not built any more stand behind those of the batch. */
void prune_night(struct command *command, struct http *http, const struct registry_options *options,
                 struct batch *batch, size_t ended_count);

#endif
