/* SPDX-License-Identifier: Apache-2.0 */
/* night_unit.h - `imgfactory unit --format timer` and `cronjob`: what makes the images of the site file every night
 *
 * Threads: main only.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: ERR_USAGE (no site file with images, a place that a unit or a cluster cannot have), ERR_LOCAL.
 */
#ifndef IMGFACTORY_CLI_NIGHT_UNIT_H
#define IMGFACTORY_CLI_NIGHT_UNIT_H

#include "cli/maker.h"

/* Returns whether the format is one of nights, not of images. */
bool night_unit_is_meant(enum deploy_format format);
/* Prints the files, or writes them with --units. */
bool night_unit_make(struct maker *maker, struct err *err) MUST_CHECK;

#endif
