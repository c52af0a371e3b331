/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/diversions.h"

#include "effect/script_calls.h"
#include "package/path.h"

#include <stdlib.h>

#define DIVERSIONS_MAX 1000
#define GUARD_ENDING ".usr-is-merged" /* DEP 17: https://dep-team.pages.debian.net/deps/dep17/, M8 and M18 */

/* Takes an option's value, behind '=' or in the next word. NULL when it is not this option. */
static const char *value_of(const struct shell_command *command, const char *option, size_t *at)
{
    const char *word = command->items[*at].text;
    size_t len = strlen(option);
    if (strncmp(word, option, len) == 0 && word[len] == '=')
        return word + len + 1;
    if (strcmp(word, option) != 0 || *at + 1 >= command->count)
        return NULL;
    return command->items[++*at].text;
}

static bool is_divert(const struct shell_command *command)
{
    if (!command->count || !command->items[0].is_constant)
        return false;
    return strcmp(path_basename(command->items[0].text), "dpkg-divert") == 0;
}

/* What a command's words say. */
struct divert_words {
    const char *path, *to, *package;
    bool is_local, is_removal, is_question, is_renamed;
};

static bool read_words(const struct shell_command *command, struct divert_words *words)
{
    static const char *const questions[] = {"--list", "--listpackage", "--truename", "--help", "--version", "--test"};
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->items[i].text, *value;
        for (size_t k = 0; k < ARRAY_COUNT(questions); k++)
            words->is_question = words->is_question || strcmp(word, questions[k]) == 0;
        if (!command->items[i].is_constant)
            return false;
        if ((value = value_of(command, "--divert", &i)))
            words->to = value;
        else if ((value = value_of(command, "--package", &i)))
            words->package = value;
        else if (strcmp(word, "--local") == 0)
            words->is_local = true;
        else if (strcmp(word, "--remove") == 0)
            words->is_removal = true;
        else if (strcmp(word, "--rename") == 0)
            words->is_renamed = true;
        else if (strcmp(word, "--no-rename") == 0)
            words->is_renamed = false;
        else if (word[0] != '-' && !words->path)
            words->path = word;
        else if (word[0] != '-')
            return false;
        if (!command->items[i].is_constant)
            return false;
    }
    return words->path && words->path[0] == '/' && !words->is_question;
}

bool diversion_parse(struct arena *arena, const char *package, const struct shell_command *command,
                     struct diversion *ret_diversion)
{
    struct divert_words words = {.package = package};
    const char *why, *path, *to;
    if (!is_divert(command) || !read_words(command, &words))
        return false;
    if (!words.to)
        words.to = arena_printf(arena, "%s.distrib", words.path);
    path = path_canonical(arena, text_of(words.path), &why);
    to = path_canonical(arena, text_of(words.to), &why);
    if (!path || !to || strcmp(path, to) == 0 || strcmp(path, "/") == 0 || strcmp(to, "/") == 0)
        return false;
    *ret_diversion =
        (struct diversion){.path = path,
                           .to = to,
                           .package = words.is_local ? NULL : words.package,
                           .is_removal = words.is_removal,
                           .is_guard = strcmp(path, words.path) != 0 && text_has_suffix(text_of(to), GUARD_ENDING),
                           .is_renamed = words.is_renamed};
    return true;
}

struct diversions {
    struct diversion *items;
    size_t count, capacity;
};

/* A path has one diversion at a time: dpkg-divert refuses a second one. */
static void take(struct arena *arena, struct diversions *list, const struct diversion *diversion)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].path, diversion->path) != 0)
            continue;
        if (diversion->is_removal)
            list->items[i] = list->items[--list->count];
        return;
    }
    if (!diversion->is_removal && list->count < DIVERSIONS_MAX)
        list_add(arena, list, *diversion);
}

/* Few packages divert anything, and only their scripts are followed. */
static bool may_divert(const struct package *package)
{
    bool is_said = false;
    for (size_t i = 0; i < package->scripts.count && !is_said; i++) {
        is_said = package_runs_at_install(package, package->scripts.items[i].name) &&
                  strstr(package->scripts.items[i].text, "dpkg-divert");
    }
    return is_said;
}

static void find(struct arena *arena, const struct package *package, struct diversions *list)
{
    struct script_calls calls;
    script_calls_list(arena, &package, 1, NULL, &calls);
    for (size_t i = 0; i < calls.count; i++) {
        struct diversion diversion;
        if (calls.items[i].call.is_sure &&
            diversion_parse(arena, package->name, &calls.items[i].call.command, &diversion) && !diversion.is_guard)
            take(arena, list, &diversion);
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    return strcmp(left->path, right->path);
}

/* What a path of a package is called now; itself when nobody diverts it. */
static const char *name_of(const struct diversions *list, const char *package, const char *path)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct diversion *diversion = &list->items[i];
        bool is_own = diversion->package && strcmp(diversion->package, package) == 0;
        if (!is_own && strcmp(diversion->path, path) == 0)
            return diversion->to;
    }
    return path;
}

/* Returns the package with other names; itself when none of its files is diverted, or two would get one name. */
static const struct package *divert(struct arena *arena, const struct package *package, const struct diversions *list)
{
    bool is_any = false;
    for (size_t i = 0; i < list->count && !is_any; i++) {
        const struct entry *entry = package_find(package, list->items[i].path);
        is_any = entry && entry->kind != ENTRY_DIRECTORY && name_of(list, package->name, entry->path) != entry->path &&
                 !package_find(package, list->items[i].to);
    }
    if (!is_any)
        return package;
    struct package *copy = arena_new(arena, struct package);
    *copy = *package;
    copy->entries = arena_new_array(arena, struct entry, package->count);
    for (size_t i = 0; i < package->count; i++) {
        struct entry *entry = &copy->entries[i];
        *entry = package->entries[i];
        if (entry->kind != ENTRY_DIRECTORY)
            entry->path = name_of(list, package->name, entry->path);
        if (entry->kind == ENTRY_HARDLINK)
            entry->target = name_of(list, package->name, entry->target);
    }
    qsort(copy->entries, copy->count, sizeof *copy->entries, compare_entries);
    return copy;
}

void diversions_apply(struct arena *arena, const struct package **packages, size_t count)
{
    struct diversions list = {0};
    for (size_t i = 0; i < count; i++) {
        if (packages[i] && may_divert(packages[i]))
            find(arena, packages[i], &list);
    }
    for (size_t i = 0; i < count && list.count; i++) {
        if (packages[i])
            packages[i] = divert(arena, packages[i], &list);
    }
}
