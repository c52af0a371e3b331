/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/night_changes.h"

#include "cli/told_file.h"
#include "line/changes.h"

#include <stdlib.h>

void night_changes_note(struct command *command, const struct batch *batch)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = command->options.changes ? open_memstream(&text, &len) : NULL;
    if (!command->options.changes)
        return;
    if (!out)
        memory_abort(len);
    changes_print(out, batch);
    if (fclose(out) != 0)
        memory_abort(len);
    command->changes = arena_strndup(&command->arena, text, len);
    free(text);
}

bool night_changes_write(const struct command *command, struct err *err)
{
    const char *text = command->changes ? command->changes : "";
    return !command->options.changes || told_file_write("--changes", command->options.changes, text_of(text), err);
}
