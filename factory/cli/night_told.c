/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_told.h"

#include "cli/night_changes.h"
#include "cli/night_metrics.h"
#include "cli/night_pages.h"

static bool write_files(void *argument, struct err *err)
{
    struct command *command = argument;
    return night_metrics_write(command, err) && night_changes_write(command, err) && night_pages_write(command, err);
}

void night_told_write(struct command *command)
{
    struct err err = {0};
    if (!command->is_told || workers_call(command->keeper, write_files, command, &err))
        return;
    log_line(command->log, LOG_QUIET, "error: %s", err.text);
    command->outcome = command->outcome ? command->outcome : err.kind;
}
