/* SPDX-License-Identifier: Apache-2.0 */
/* Users, groups and memberships that scripts make. */
#include "effect/script_maker.h"

#define ACCOUNTS_MAX 256 /* of all scripts, users and groups each */

static const char *operand(const struct script_words *words, size_t at)
{
    return at < words->operands.count && words->operands.items[at].is_constant ? words->operands.items[at].text : NULL;
}

/* Returns the name among operands of which one may be options that are not known ($quiet); NULL when it is not clear. */
static const char *only_name(const struct script_words *words)
{
    const char *name = NULL;
    for (size_t i = 0; i < words->operands.count; i++) {
        if (!words->operands.items[i].is_constant)
            continue;
        if (name)
            return NULL;
        name = words->operands.items[i].text;
    }
    return name && rule_is_user_name(name) ? name : NULL;
}

static struct wish_user *find_user(const struct script_maker *maker, const char *name)
{
    for (size_t i = 0; i < maker->wishes->users.count; i++) {
        if (strcmp(maker->wishes->users.items[i].name, name) == 0)
            return &maker->wishes->users.items[i];
    }
    return NULL;
}

static uint64_t number_of(const char *text)
{
    uint64_t number;
    return text && text_parse_u64(text_of(text), &number) && number < UINT32_MAX ? number : WISH_NUMBER_FREE;
}

static void add_group(struct script_maker *maker, const char *name, uint64_t number)
{
    struct wishes *wishes = maker->wishes;
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (strcmp(wishes->groups.items[i].name, name) == 0)
            return;
    }
    if (wishes->groups.count < ACCOUNTS_MAX && rule_is_user_name(name))
        list_add(maker->arena, &wishes->groups,
                 (struct wish_group){.name = name, .gid = number, .is_automatic = true, .giver = maker->giver});
}

static void add_member(struct script_maker *maker, const char *user, const char *group)
{
    struct wishes *wishes = maker->wishes;
    for (size_t i = 0; i < wishes->members.count; i++) {
        if (strcmp(wishes->members.items[i].user, user) == 0 && strcmp(wishes->members.items[i].group, group) == 0)
            return;
    }
    if (wishes->members.count < ACCOUNTS_MAX && rule_is_user_name(user) && rule_is_user_name(group))
        list_add(maker->arena, &wishes->members, (struct wish_member){user, group, maker->giver});
}

static void add_members(struct script_maker *maker, const char *user, const char *groups)
{
    struct text rest = text_of(groups ? groups : ""), group;
    while (rest.len && text_next(&rest, ',', &group))
        add_member(maker, user, text_dup(maker->arena, group));
}

/* A home, unless something is there: then it stays as it is. */
static void make_home(struct script_maker *maker, const struct wish_user *user)
{
    const char *path = script_path(maker, &(struct shell_word){.text = user->home, .is_constant = true});
    if (!path || script_is_there(maker, path))
        return;
    struct wish_made *made = script_make_directory(maker, path, 0755);
    if (made)
        script_change(maker, made, user->name, user->group, NULL);
}

/* Adds a user, unless there is one; the pointer is good until the next. */
static void add_user(struct script_maker *maker, const struct script_words *words, struct wish_user user, bool has_home)
{
    const char *home = script_words_value(words, OPTION_HOME);
    const char *shell = script_words_value(words, OPTION_SHELL);
    const char *comment = script_words_value(words, OPTION_COMMENT);
    if (find_user(maker, user.name) || maker->wishes->users.count >= ACCOUNTS_MAX)
        return;
    user.home = home && *home == '/' && account_is_field(home) ? home : user.home;
    user.shell = shell && *shell == '/' && account_is_field(shell) ? shell : NULL;
    user.comment = comment && account_is_field(comment) ? comment : "";
    user.uid = number_of(script_words_value(words, OPTION_NUMBER));
    user.is_automatic = true;
    user.giver = maker->giver;
    list_add(maker->arena, &maker->wishes->users, user);
    if (has_home && home)
        make_home(maker, &user);
}

void script_adduser(struct script_maker *maker, const struct script_words *words)
{
    const char *user = operand(words, 0), *second = operand(words, 1);
    const char *group = script_words_value(words, OPTION_GROUP), *name = only_name(words);
    bool is_system = words->has[OPTION_SYSTEM];
    if (user && second && words->operands.count == 2) {
        add_member(maker, user, second);
        return;
    }
    if (!name)
        return;
    if (words->has[OPTION_OWN_GROUP] && !is_system) { /* as addgroup */
        add_group(maker, name, number_of(group));
        return;
    }
    bool is_own = words->has[OPTION_OWN_GROUP] || !is_system;
    struct wish_user wanted = {.name = name,
                               .home = is_system ? "/nonexistent" : arena_printf(maker->arena, "/home/%s", name)};
    wanted.group = group ? group : is_own ? name : "nogroup";
    if (!group && is_own)
        add_group(maker, name, number_of(script_words_value(words, OPTION_NUMBER)));
    add_user(maker, words, wanted, !words->has[OPTION_NO_HOME]);
}

void script_useradd(struct script_maker *maker, const struct script_words *words)
{
    const char *name = only_name(words), *group = script_words_value(words, OPTION_GROUP);
    if (!name)
        return;
    struct wish_user wanted = {.name = name,
                               .group = group                         ? group
                                        : words->has[OPTION_NO_GROUP] ? "users"
                                                                      : name,
                               .home = arena_printf(maker->arena, "/home/%s", name)};
    if (!group && !words->has[OPTION_NO_GROUP])
        add_group(maker, name, number_of(script_words_value(words, OPTION_NUMBER)));
    add_user(maker, words, wanted, words->has[OPTION_CREATE_HOME] && !words->has[OPTION_NO_HOME]);
    add_members(maker, name, script_words_value(words, OPTION_GROUPS));
}

void script_groupadd(struct script_maker *maker, const struct script_words *words)
{
    const char *user = operand(words, 0), *group = operand(words, 1), *name = only_name(words);
    if (user && group && words->operands.count == 2)
        add_member(maker, user, group); /* addgroup USER GROUP */
    else if (name)
        add_group(maker, name, number_of(script_words_value(words, OPTION_GROUP)));
}

void script_usermod(struct script_maker *maker, const struct script_words *words)
{
    const char *name = only_name(words), *home = script_words_value(words, OPTION_HOME);
    const char *shell = script_words_value(words, OPTION_SHELL), *group = script_words_value(words, OPTION_GROUP);
    struct wish_user *user = name ? find_user(maker, name) : NULL;
    if (name)
        add_members(maker, name, script_words_value(words, OPTION_GROUPS));
    if (!user || !maker->at->call.is_sure)
        return;
    user->home = home && *home == '/' && account_is_field(home) ? home : user->home;
    user->shell = shell && *shell == '/' && account_is_field(shell) ? shell : user->shell;
    user->group = group ? group : user->group;
}

void script_gpasswd(struct script_maker *maker, const struct script_words *words)
{
    const char *user = script_words_value(words, OPTION_MEMBER), *group = operand(words, 0);
    if (user && group)
        add_member(maker, user, group);
}
