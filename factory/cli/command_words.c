/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_words.h"

#include "base/list.h"
#include "base/text.h"

#define ABBREVIATION_MIN 2 /* letters */

const struct command_row *command_words_find(struct commands commands, const char *name)
{
    for (size_t i = 0; i < commands.count; i++) {
        if (strcmp(commands.items[i].name, name) == 0)
            return &commands.items[i];
    }
    return NULL;
}

const char *command_words_meant(struct arena *arena, struct commands commands, const char *word)
{
    struct strings names = {0}, longer = {0};
    char *lower = arena_strdup(arena, word);
    for (char *at = lower; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    for (size_t i = 0; i < commands.count; i++) {
        list_add(arena, &names, commands.items[i].name);
        if (strlen(lower) >= ABBREVIATION_MIN && text_has_prefix(text_of(commands.items[i].name), lower))
            list_add(arena, &longer, commands.items[i].name);
    }
    return longer.count == 1 ? longer.items[0] : text_nearest(lower, names.items, names.count);
}
