/* SPDX-License-Identifier: Apache-2.0 */
/* diff.h - `imgfactory diff A B`: what differs between two images, or between all images of two folders
 *
 * Threads: main only.
 */
#ifndef IMGFACTORY_CLI_DIFF_H
#define IMGFACTORY_CLI_DIFF_H

#include "cli/remote_parts.h"

/* Compares what the command's two words mean and prints it; with --exit-code the command's outcome tells whether they
 * differ. */
bool diff_run(struct remote *remote, struct err *err) MUST_CHECK;

#endif
