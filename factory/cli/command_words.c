/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_words.h"

#include "base/list.h"
#include "base/text.h"

#define ABBREVIATION_MIN 2 /* letters */

/* Commands of other programs, by what does the same here. */
static const struct {
    const char *words[4];
    const char *here;
} elsewhere[] = {
    {{"search", "provides", "repoquery"}, "the command 'find'"},
    {{"info", "show"}, "the command 'inspect'"},
    {{"init", "create"}, "the command 'new'"},
    {{"install"}, "the command 'build', or 'system install'"},
    {{"update", "upgrade"}, "the command 'build', which takes what is newest, 'lock --update', or 'system update'"},
    {{"outdated"}, "the command 'status', or 'lock --check'"},
    {{"run", "start"}, "the 'podman run' line that a build prints, or the command 'unit'"},
    {{"remove", "rm", "rmi", "uninstall"}, "the command 'clean', 'prune', or 'system uninstall'"},
    {{"rollback", "undo"}, "the command 'tag', or 'system rollback'"},
    {{"images", "ls", "ps"}, "the option --list"},
    {{"scan", "bom"}, "the command 'sbom'"},
};

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

const char *command_words_elsewhere(const char *word)
{
    for (size_t i = 0; i < ARRAY_COUNT(elsewhere); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(elsewhere[i].words) && elsewhere[i].words[j]; j++) {
            if (strcmp(elsewhere[i].words[j], word) == 0)
                return elsewhere[i].here;
        }
    }
    return NULL;
}
