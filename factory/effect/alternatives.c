/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/alternatives.h"

#include "effect/script_calls.h"
#include "package/path.h"

/* Far above what dpkg's or chkconfig's alternatives use. */
#define PRIORITY_MAX 1000000000

/* A registration that may win. */
struct bid {
    const struct package *package;
    struct alternatives alternatives;
};

/* Takes LINK NAME PATH at `at`; false when they are not there, not constant, or no paths. */
static bool take_three(const struct shell_command *command, size_t at, struct alternative *ret_alternative)
{
    for (size_t i = at; i < at + 3; i++) {
        if (i >= command->count || !command->items[i].is_constant || strchr(command->items[i].text, '\n'))
            return false; /* update-alternatives refuses newlines: its database has a line for each */
    }
    struct alternative taken = {command->items[at].text, command->items[at + 1].text, command->items[at + 2].text};
    if (taken.link[0] != '/' || taken.path[0] != '/' || !taken.name[0] || strchr(taken.name, '/') ||
        strcmp(taken.name, ".") == 0 || strcmp(taken.name, "..") == 0)
        return false;
    *ret_alternative = taken;
    return true;
}

static bool take_priority(const struct shell_command *command, size_t at, int64_t *ret_priority)
{
    uint64_t number;
    if (at >= command->count || !command->items[at].is_constant)
        return false;
    const char *text = command->items[at].text;
    bool is_negative = text[0] == '-';
    if (!text_parse_u64(text_of(text + is_negative), &number) || number > PRIORITY_MAX)
        return false;
    *ret_priority = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool is_command(const char *word)
{
    const char *slash = strrchr(word, '/');
    const char *name = slash ? slash + 1 : word;
    return strcmp(name, "update-alternatives") == 0 || strcmp(name, "alternatives") == 0;
}

bool alternatives_parse(struct arena *arena, const struct shell_command *command, struct alternatives *ret_alternatives)
{
    struct alternatives found = {0};
    struct alternative taken;
    if (!command->count || !is_command(command->items[0].text))
        return false;
    for (size_t i = 1; i < command->count; i++) {
        const char *word = command->items[i].text;
        if (strcmp(word, "--install") == 0) {
            if (found.count || !take_three(command, i + 1, &taken) || !take_priority(command, i + 4, &found.priority))
                return false;
            i += 4;
        } else if (strcmp(word, "--slave") == 0 || strcmp(word, "--follower") == 0) {
            if (!found.count || !take_three(command, i + 1, &taken))
                return false;
            i += 3;
        } else if (!command->items[i].is_constant) {
            return false;
        } else {
            continue;
        }
        list_add(arena, &found, taken);
    }
    *ret_alternatives = found;
    return found.count > 0;
}

/* Notes a registration unless the name has a better one. */
static void bid_for(struct map *bids, const struct package *package, const struct alternatives *alternatives)
{
    struct text name = text_of(alternatives->items[0].name);
    const struct bid *there = map_get(bids, name);
    if (there && there->alternatives.priority >= alternatives->priority)
        return;
    struct bid *bid = arena_new(bids->arena, struct bid);
    *bid = (struct bid){package, *alternatives};
    map_set(bids, name, bid);
}

/* Whether a command registers what only the running script knows. */
static bool is_open(const struct shell_command *command)
{
    bool is_install = false, is_constant = true;
    for (size_t i = 0; i < command->count; i++) {
        is_install = is_install || strcmp(command->items[i].text, "--install") == 0;
        is_constant = is_constant && command->items[i].is_constant;
    }
    return is_install && !is_constant && is_command(command->items[0].text);
}

static void add_parsed(struct arena *arena, const struct shell_command *command, struct alternatives_list *list)
{
    struct alternatives found;
    if (alternatives_parse(arena, command, &found))
        list_add(arena, list, found);
}

/* Goes with the scripts through their loops and variables (openjdk's tools). */
static void follow_scripts(struct arena *arena, const struct fileset *set, const struct package *package,
                           struct alternatives_list *list)
{
    struct script_calls calls;
    script_calls_list(arena, &package, 1, set, &calls);
    for (size_t i = 0; i < calls.count; i++)
        add_parsed(arena, &calls.items[i].call.command, list);
}

void alternatives_of(struct arena *arena, const struct fileset *set, const struct package *package,
                     struct alternatives_list *ret_list)
{
    bool is_followed = false;
    *ret_list = (struct alternatives_list){0};
    for (size_t i = 0; i < package->scripts.count; i++) {
        const struct package_script *script = &package->scripts.items[i];
        struct shell_commands commands;
        if (!package_runs_at_install(package, script->name) || !strstr(script->text, "alternatives"))
            continue;
        shell_commands_list(arena, script->text, &commands);
        for (size_t j = 0; j < commands.count; j++) {
            add_parsed(arena, &commands.items[j], ret_list);
            is_followed = is_followed || is_open(&commands.items[j]);
        }
    }
    if (is_followed)
        follow_scripts(arena, set, package, ret_list);
}

static void read_scripts(struct fileset *set, const struct package *package, struct map *bids)
{
    struct alternatives_list list;
    alternatives_of(set->arena, set, package, &list);
    for (size_t i = 0; i < list.count; i++) {
        if (fileset_walk(set, set->arena, list.items[i].items[0].path, NULL, NULL))
            bid_for(bids, package, &list.items[i]);
    }
}

/* Adds the link unless there is something; false when its path cannot be one. */
static bool add_link(struct fileset *set, const struct package *package, const char *link, const char *target)
{
    const char *why, *path = path_canonical(set->arena, text_of(link), &why);
    if (!path || strcmp(path, "/") == 0)
        return false;
    struct entry *entry = arena_new(set->arena, struct entry);
    *entry = (struct entry){
        .path = path, .kind = ENTRY_SYMLINK, .mode = 0777, .mtime = package->build_time, .target = target};
    struct sourced *file = arena_new(set->arena, struct sourced);
    *file = (struct sourced){.package = package, .entry = entry};
    (void)map_add(&set->by_path, text_of(path), file);
    return true;
}

void alternatives_add(struct fileset *set)
{
    struct map bids = {.arena = set->arena};
    for (size_t i = 0; i < set->package_count; i++)
        read_scripts(set, set->packages[i], &bids);
    for (size_t i = 0; i < bids.slots.count; i++) {
        const struct bid *bid = bids.slots.items[i].value;
        for (size_t j = 0; j < bid->alternatives.count; j++) {
            const struct alternative *alternative = &bid->alternatives.items[j];
            if (!fileset_walk(set, set->arena, alternative->path, NULL, NULL))
                continue;
            const char *name = arena_printf(set->arena, "/etc/alternatives/%s", alternative->name);
            if (add_link(set, bid->package, alternative->link, name))
                (void)add_link(set, bid->package, name, alternative->path);
        }
    }
}
