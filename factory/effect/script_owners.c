/* SPDX-License-Identifier: Apache-2.0 */
/* Owners and modes that scripts change. */
#include "effect/script_maker.h"

#include "package/capability_sets.h"
#include "package/path.h"

#define OWNERS_MAX 1000

/* A change; NULL: as it is. */
struct change {
    const char *owner, *group;
    const struct script_mode *mode;
    bool is_deep;
};

static void change_made_below(struct script_maker *maker, const char *path, const struct change *change)
{
    for (size_t i = 0; i < maker->wishes->made.count; i++) {
        struct wish_made *made = &maker->wishes->made.items[i];
        if (made->path && path_is_below(made->path, path))
            script_change(maker, made, change->owner, change->group, change->mode);
    }
}

/* What is not sure is done only to a directory that scripts made: where it is not done, nobody misses that either. */
static void change_path(struct script_maker *maker, const char *path, const struct change *change)
{
    bool is_sure = maker->at->call.is_sure;
    const struct entry *entry = script_packaged(maker, path, false);
    bool is_directory = entry && entry->kind == ENTRY_DIRECTORY;
    struct wish_made *made = script_made(maker, path);
    if (!made && is_directory && is_sure)
        made = script_make_directory(maker, path, 0755);
    if (made && (is_sure || made->kind == MADE_DIRECTORY))
        script_change(maker, made, change->owner, change->group, change->mode);
    if (!is_sure)
        return;
    if (change->is_deep)
        change_made_below(maker, path, change);
    if (maker->wishes->owners.count >= OWNERS_MAX || (made && !change->is_deep))
        return;
    const struct script_mode as_it_is = {0}, *mode = change->mode ? change->mode : &as_it_is;
    const struct wish_owner wish = {.path = path,
                                    .owner = change->owner,
                                    .group = change->group,
                                    .mode_lost = mode->lost,
                                    .mode_set = mode->set,
                                    .mode_search = mode->search,
                                    .is_deep = change->is_deep,
                                    .giver = maker->giver};
    list_add(maker->arena, &maker->wishes->owners, wish);
}

static void change_paths(struct script_maker *maker, const struct script_words *words, struct change change)
{
    change.is_deep = words->has[OPTION_DEEP];
    for (size_t i = 1; i < words->operands.count; i++) {
        const char *path = script_path(maker, &words->operands.items[i]);
        if (path)
            change_path(maker, path, &change);
    }
}

static bool is_account(const char *name)
{
    uint64_t number;
    return rule_is_user_name(name) || text_parse_u64(text_of(name), &number);
}

/* The first group of a user that a script made; else the group of the same name. */
static const char *login_group(const struct script_maker *maker, const char *user)
{
    for (size_t i = 0; i < maker->wishes->users.count; i++) {
        if (strcmp(maker->wishes->users.items[i].name, user) == 0)
            return maker->wishes->users.items[i].group;
    }
    return user;
}

/* USER, USER:GROUP, USER.GROUP, USER:, :GROUP. */
static bool parse_owners(const struct script_maker *maker, const char *text, struct change *ret_change)
{
    size_t len = strcspn(text, ":");
    if (!text[len])
        len = strcspn(text, ".");
    const char *owner = arena_strndup(maker->arena, text, len), *group = text[len] ? text + len + 1 : NULL;
    *ret_change = (struct change){.owner = *owner ? owner : NULL, .group = group && *group ? group : NULL};
    if (group && !*group && *owner)
        ret_change->group = login_group(maker, owner);
    return (!ret_change->owner || is_account(owner)) && (!ret_change->group || is_account(ret_change->group));
}

static const char *first(const struct script_words *words)
{
    return words->operands.count > 1 && words->operands.items[0].is_constant && !words->has[OPTION_REMOVE]
               ? words->operands.items[0].text
               : NULL;
}

void script_chown(struct script_maker *maker, const struct script_words *words)
{
    struct change change;
    if (first(words) && parse_owners(maker, first(words), &change))
        change_paths(maker, words, change);
}

void script_chgrp(struct script_maker *maker, const struct script_words *words)
{
    if (first(words) && is_account(first(words)))
        change_paths(maker, words, (struct change){.group = first(words)});
}

void script_chmod(struct script_maker *maker, const struct script_words *words)
{
    struct script_mode mode;
    if (first(words) && script_mode_parse(first(words), maker->at->call.umask, &mode))
        change_paths(maker, words, (struct change){.mode = &mode});
}

/* dpkg-statoverride --add USER GROUP MODE PATH; "#" stands before numbers. */
void script_statoverride(struct script_maker *maker, const struct script_words *words)
{
    const struct shell_command *operands = &words->operands;
    struct script_mode mode;
    if (!words->has[OPTION_ADD] || operands->count != 4 || !operands->items[0].is_constant ||
        !operands->items[1].is_constant || !operands->items[2].is_constant)
        return;
    const char *owner = operands->items[0].text, *group = operands->items[1].text;
    const char *path = script_path(maker, &operands->items[3]);
    const struct change change = {.owner = owner + (*owner == '#'), .group = group + (*group == '#'), .mode = &mode};
    if (path && is_account(change.owner) && is_account(change.group) &&
        script_mode_parse(operands->items[2].text, SCRIPT_UMASK, &mode)) {
        change_path(maker, path, &change);
        if (maker->at->call.is_sure && maker->wishes->overrides.count < OWNERS_MAX)
            list_add(maker->arena, &maker->wishes->overrides,
                     ((struct wish_override){path, owner, group, mode.set, maker->giver}));
    }
}

/* setcap CAPABILITIES FILE …: only what every container may; the kernel does not start a program whose file has more. */
void script_setcap(struct script_maker *maker, const struct script_words *words)
{
    const struct shell_command *operands = &words->operands;
    for (size_t i = 0; i + 1 < operands->count && !words->has[OPTION_REMOVE]; i += 2) {
        const char *path = script_path(maker, &operands->items[i + 1]);
        uint64_t set = operands->items[i].is_constant ? capability_sets_of_clause(operands->items[i].text) : 0;
        if (path && set && set == capability_sets_usual(set) && maker->at->call.is_sure &&
            maker->wishes->owners.count < OWNERS_MAX)
            list_add(maker->arena, &maker->wishes->owners,
                     ((struct wish_owner){.path = path, .capabilities = set, .giver = maker->giver}));
    }
}
