/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - `imgfactory --watch`: nights without end, one when signed metadata say so
 *
 * A poll asks for the signed metadata of all images of the site (one conditional request each) and nothing else. A night is
 * made when they are others than at the last one, after SIGHUP (the site file is read again), after a night that was not all
 * good, and a day after the last one. Each poll and each night has a thread and memory of its own; main waits, and
 * tells systemd that it is alive.
 * Threads: main only.
 * Owns: the site file as it was last read, until watch_build() returns.
 * Fails with: ERR_USAGE; ERR_CANCELLED by a signal. What a poll or a night fails with is told, and it goes on.
 */
#ifndef IMGFACTORY_CLI_WATCH_H
#define IMGFACTORY_CLI_WATCH_H

#include "cli/command.h"

/* Builds the images of the command line once, or with --watch those of the site file again and again. */
bool watch_build(struct command *command, struct err *err) MUST_CHECK;
/* Returns how long to wait for the next poll: the interval, doubled for each failure in a row up to an hour (or the interval,
 * if that is longer), and a tenth more or less by chance. */
uint64_t watch_pause_ms(uint64_t interval_ms, unsigned failures, uint32_t chance);

#endif
