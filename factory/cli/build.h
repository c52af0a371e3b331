/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - the commands that build (build, why, new, find): plans all images, runs them, prints the report
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_BUILD_H
#define IMGFACTORY_CLI_BUILD_H

#include "bill/inputs.h"
#include "bill/lock.h"
#include "cli/command.h"
#include "source/catalog.h"

/* Builds the images of the command line. False: err says why nothing was started; else command->outcome is the exit class. */
bool build_run(struct command *command, struct err *err) MUST_CHECK;
/* Writes the lock file of the images of the command line (locking.h). */
bool build_lock(struct command *command, struct err *err) MUST_CHECK;
/* Asks for the signed metadata of all images of the site, and for nothing else. *ret_metadata is a digest over them; it is the
 * same as long as they are. Readers are confined with the calling thread. */
bool build_poll(struct command *command, struct digest *ret_metadata, struct err *err) MUST_CHECK;
/* Tells of each path behind the first word why it is in the image, or why not. */
bool build_why(struct command *command, struct err *err) MUST_CHECK;
/* Prints the manifest that a name amounts to, with what is found in its packages behind a '#'. */
bool build_new(struct command *command, struct err *err) MUST_CHECK;
/* Prints what packages ship, and which packages ship a path, by the indices. */
bool build_find(struct command *command, struct err *err) MUST_CHECK;
/* Makes the run's inputs (all but the program and what is read beside the manifests, which come later) of options, site
 * file and the value of SOURCE_DATE_EPOCH (NULL: not set): everything that a call can say to change the bytes of an
 * order's product. ERR_USAGE as --compression and SOURCE_DATE_EPOCH. */
bool build_inputs(const struct options *options, const struct site *site, const char *source_date,
                  struct inputs *ret_inputs, struct err *err) MUST_CHECK;
/* Tells the names of all packages that the options' source has for the first of their architectures, by the indices in the
 * cache alone. */
bool build_packages(struct command *command, catalog_take_name *take, void *taker, struct err *err) MUST_CHECK;
/* Makes what the options name again, to be compared: nothing is pushed, told or taken down. False: err is that of the first image that
 * failed. */
bool build_again(struct command *command, struct err *err) MUST_CHECK;
/* Is told of the catalog of one architecture of a lock, which is open as long as that takes. */
typedef bool build_take_catalog(void *taker, const struct lock *lock, struct catalog *catalog, struct err *err);
/* Opens what the lock of the options pins of their source, for their architectures, one after the other. Nothing stands in for metadata
 * that are gone: ERR_NETWORK. Readers are confined with the calling thread. */
bool build_locked_catalogs(struct command *command, build_take_catalog *take, void *taker, struct err *err) MUST_CHECK;
/* Tells of the plan of a lock (--plan) what of the site's images is there. ERR_PARTLY while anything is missing; else as a build that
 * pushes. */
bool build_plan_status(struct command *command, struct err *err) MUST_CHECK;
/* Prunes where the images of the site go (prune.h); with `only`, HOST/REPOSITORY, that repository alone. */
bool build_prune(struct command *command, const char *only, struct err *err) MUST_CHECK;
/* Prints the known images and architectures. */
bool build_list(struct command *command, struct err *err) MUST_CHECK;

#endif
