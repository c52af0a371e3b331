/* SPDX-License-Identifier: Apache-2.0 */
/* night.h - a call that names no image: it makes all images of the site file, one such call at a time on a machine
 *
 * The lock lies in the state directory, so nights that share what they remember come one after another.
 * Threads: main only.
 * Owns: the lock, until the descriptor is closed.
 * Fails with: ERR_LOCAL (another night is at work, or the state cannot be had), ERR_CANCELLED.
 */
#ifndef IMGFACTORY_CLI_NIGHT_H
#define IMGFACTORY_CLI_NIGHT_H

#include "cli/command.h"

/* Waits until no other night is at work, or with --if-running=end fails when one is, naming its process. *ret_fd holds the
 * lock. */
bool night_begin(struct command *command, int *ret_fd, struct err *err) MUST_CHECK;

#endif
