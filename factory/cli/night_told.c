/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_told.h"

#include "cli/night_changes.h"
#include "cli/night_metrics.h"
#include "cli/night_pages.h"

static bool write_metrics(void *command, struct err *err)
{
    return night_metrics_write(command, err);
}

static bool write_changes(void *command, struct err *err)
{
    return night_changes_write(command, err);
}

static bool write_pages(void *command, struct err *err)
{
    return night_pages_write(command, err);
}

void night_told_write(struct command *command)
{
    static bool (*const writers[])(void *, struct err *) = {write_metrics, write_changes, write_pages};
    for (size_t i = 0; command->is_told && i < ARRAY_COUNT(writers); i++) {
        struct err err = {0};
        if (workers_call(command->keeper, writers[i], command, &err))
            continue;
        log_line(command->log, LOG_QUIET, "error: %s", err.text);
        command->outcome = command->outcome ? command->outcome : err.kind;
    }
}
