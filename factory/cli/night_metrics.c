/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_metrics.h"

#include "base/auto.h"
#include "base/clock.h"
#include "cli/told_file.h"
#include "line/metrics.h"

#include <stdlib.h>
#include <sys/stat.h>

bool night_metrics_check(const struct command *command, struct err *err)
{
    return told_file_check("--metrics", command->options.metrics, err);
}

void night_metrics_note(struct command *command, const struct batch *batch)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = command->options.metrics ? open_memstream(&text, &len) : NULL;
    if (!command->options.metrics)
        return;
    if (!out)
        memory_abort(len);
    metrics_print_batch(out, batch);
    if (fclose(out) != 0)
        memory_abort(len);
    command->metrics = arena_strndup(&command->arena, text, len);
    free(text);
}

bool night_metrics_write(struct command *command, struct err *err)
{
    AUTO(auto_free) char *text = NULL;
    size_t len = 0;
    if (!command->options.metrics)
        return true;
    FILE *out = open_memstream(&text, &len);
    if (!out)
        memory_abort(len);
    struct metrics_run run = {.version = IMGFACTORY_VERSION,
                              .ended = clock_date(),
                              .seconds = clock_seconds() - command->begun,
                              .outcome = command->outcome};
    metrics_print_run(out, &run);
    (void)fputs(command->metrics ? command->metrics : "", out);
    if (fclose(out) != 0)
        memory_abort(len);
    return told_file_write("--metrics", command->options.metrics, (struct text){text, len}, err);
}
