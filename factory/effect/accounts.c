/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/accounts.h"

#include "plan/rules.h"

#define NOBODY 65534u
#define FILE_MAX ((size_t)1 << 20) /* /etc/passwd and /etc/group of a package */

struct account_user *accounts_user(const struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->users.count; i++) {
        if (strcmp(accounts->users.items[i]->name, name) == 0)
            return accounts->users.items[i];
    }
    return NULL;
}

struct account_group *accounts_group(const struct accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->groups.count; i++) {
        if (strcmp(accounts->groups.items[i]->name, name) == 0)
            return accounts->groups.items[i];
    }
    return NULL;
}

struct account_user *accounts_user_of_number(const struct accounts *accounts, uint32_t uid)
{
    for (size_t i = 0; i < accounts->users.count; i++) {
        if (accounts->users.items[i]->uid == uid)
            return accounts->users.items[i];
    }
    return NULL;
}

struct account_group *accounts_group_of_number(const struct accounts *accounts, uint32_t gid)
{
    for (size_t i = 0; i < accounts->groups.count; i++) {
        if (accounts->groups.items[i]->gid == gid)
            return accounts->groups.items[i];
    }
    return NULL;
}

struct account_user *accounts_add_user(struct accounts *accounts, const struct account_user *user)
{
    struct account_user *there = accounts_user(accounts, user->name);
    if (there)
        return there;
    there = arena_new(accounts->arena, struct account_user);
    *there = *user;
    list_add(accounts->arena, &accounts->users, there);
    return there;
}

struct account_group *accounts_add_group(struct accounts *accounts, const char *name, uint32_t gid)
{
    struct account_group *there = accounts_group(accounts, name);
    if (there)
        return there;
    there = arena_new(accounts->arena, struct account_group);
    *there = (struct account_group){.name = name, .gid = gid};
    list_add(accounts->arena, &accounts->groups, there);
    return there;
}

void accounts_add_member(struct accounts *accounts, struct account_group *group, const char *user)
{
    if (!strings_has(&group->members, user))
        list_add(accounts->arena, &group->members, user);
}

static void add_nobody_user(struct accounts *accounts)
{
    const struct account_user user = {.name = "nobody",
                                      .comment = accounts->nobody->comment,
                                      .home = accounts->nobody->home,
                                      .uid = NOBODY,
                                      .gid = NOBODY};
    accounts_add_user(accounts, &user);
}

bool accounts_add_nobody(struct accounts *accounts, const char *name, bool is_user)
{
    bool is_nobody = strcmp(name, "nobody") == 0;
    if (!is_nobody && (is_user || strcmp(name, "nogroup") != 0))
        return false;
    if (is_user)
        name = accounts->nobody->group;
    if (!is_user || !accounts_group_of_number(accounts, NOBODY))
        accounts_add_group(accounts, name, NOBODY);
    if (is_user)
        add_nobody_user(accounts);
    return true;
}

void accounts_complete(struct accounts *accounts)
{
    if (!accounts_user_of_number(accounts, NOBODY))
        add_nobody_user(accounts);
    if (!accounts_group_of_number(accounts, NOBODY))
        accounts_add_group(accounts, accounts->nobody->group, NOBODY);
}

/* Takes N fields with colons between off a line; false when there are fewer. */
static bool take_fields(struct arena *arena, struct text line, size_t count, const char **ret_fields)
{
    for (size_t i = 0; i < count; i++) {
        struct text field;
        if (!text_next(&line, ':', &field)) {
            ret_fields[i] = "";
            return i + 1 == count; /* an empty field at the end of the line */
        }
        ret_fields[i] = text_dup(arena, field);
        if (!account_is_field(ret_fields[i]))
            return false;
    }
    return true;
}

static bool parse_id(const char *string, uint32_t *ret_id)
{
    uint64_t value;
    if (!text_parse_u64(text_of(string), &value) || value >= UINT32_MAX)
        return false;
    *ret_id = (uint32_t)value;
    return true;
}

void accounts_read_passwd(struct accounts *accounts, struct text text)
{
    struct text line;
    while (text.len && text.len <= FILE_MAX && text_next(&text, '\n', &line)) {
        const char *fields[7];
        struct account_user user;
        if (!take_fields(accounts->arena, line, ARRAY_COUNT(fields), fields) || !rule_is_user_name(fields[0]) ||
            !parse_id(fields[2], &user.uid) || !parse_id(fields[3], &user.gid))
            continue;
        user.name = fields[0];
        user.comment = fields[4];
        user.home = *fields[5] ? fields[5] : "/";
        user.shell = *fields[6] ? fields[6] : NULL;
        accounts_add_user(accounts, &user);
    }
}

void accounts_read_group(struct accounts *accounts, struct text text)
{
    struct text line;
    while (text.len && text.len <= FILE_MAX && text_next(&text, '\n', &line)) {
        const char *fields[4];
        uint32_t gid;
        if (!take_fields(accounts->arena, line, ARRAY_COUNT(fields), fields) || !rule_is_user_name(fields[0]) ||
            !parse_id(fields[2], &gid))
            continue;
        struct account_group *group = accounts_add_group(accounts, fields[0], gid);
        struct text rest = text_of(fields[3]), member;
        while (rest.len && text_next(&rest, ',', &member)) {
            const char *name = text_dup(accounts->arena, member);
            if (rule_is_user_name(name))
                accounts_add_member(accounts, group, name);
        }
    }
}
