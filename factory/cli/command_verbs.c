/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that a command has. */
#include "cli/commands.h"

#include "cli/key.h"
#include "cli/system.h"

const struct command_verb *command_verbs(const struct command_row *command)
{
    return command->kind == COMMAND_SYSTEM ? system_verbs : command->kind == COMMAND_KEY ? key_verbs : NULL;
}
