/* SPDX-License-Identifier: Apache-2.0 */
/* night_changes.h - `--changes FILE`: what a run changed, as Markdown, for a mail or the summary of a CI job
 *
 * The file is empty when nothing changed.
 * Threads: main only.
 * Owns: nothing; the text lives in the command's arena.
 * Fails with: as told_file.h.
 */
#ifndef IMGFACTORY_CLI_NIGHT_CHANGES_H
#define IMGFACTORY_CLI_NIGHT_CHANGES_H

#include "cli/command.h"
#include "line/batch.h"

/* Notes what changed, told before (line/changes.h). */
void night_changes_note(struct command *command, const struct batch *batch);
/* Writes the file, if one is wanted. */
bool night_changes_write(const struct command *command, struct err *err) MUST_CHECK;

#endif
