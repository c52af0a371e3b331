/* SPDX-License-Identifier: Apache-2.0 */
/* night_metrics.h - `--metrics FILE`: what a run did, for the textfile collector of node_exporter
 *
 * It is written whatever became of the run, but for one that waited for another night and did not begin.
 * Threads: main only.
 * Owns: nothing; the text lives in the command's arena.
 * Fails with: as told_file.h.
 */
#ifndef IMGFACTORY_CLI_NIGHT_METRICS_H
#define IMGFACTORY_CLI_NIGHT_METRICS_H

#include "cli/command.h"
#include "line/batch.h"

/* Checks, before anything begins, that the file can be where it is to be. */
bool night_metrics_check(const struct command *command, struct err *err) MUST_CHECK;
/* Notes what became of the images. */
void night_metrics_note(struct command *command, const struct batch *batch);
/* Writes the file, if one is wanted, with the outcome of the run. */
bool night_metrics_write(struct command *command, struct err *err) MUST_CHECK;

#endif
