/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - `imgfactory status`: whether the images of a site are still current, by the record that its nights write
 *
 * Nothing of this machine but the site file has a part in it: one request for a record, another one when it is named by an
 * image.
 * Threads: main only.
 * Owns: nothing; all lives in the command's arena.
 * Fails with: ERR_PARTLY naming the images that are not current; ERR_USAGE (no record is named), ERR_PUBLISH (there is none),
 * ERR_MALFORMED (it is none), and as registry.h.
 */
#ifndef IMGFACTORY_CLI_STATUS_H
#define IMGFACTORY_CLI_STATUS_H

#include "cli/command.h"

/* Takes the site file that the command's word names, if it names one, in place of the command's. */
bool status_load_site(struct command *command, struct err *err) MUST_CHECK;
/* Reads the record and prints what it says. */
bool status_run(struct command *command, const struct registry_options *options, struct http *http,
                struct err *err) MUST_CHECK;

#endif
