/* SPDX-License-Identifier: Apache-2.0 */
#include "base/auto.h"
#include "tree/tree_draft.h"

#define USERS_FILE_CAP ((size_t)16 << 20)

static bool parse_number(const char *name, uint32_t *ret_number)
{
    uint64_t value = 0;
    /* the highest value means "no owner" to chown(2) */
    if (!text_parse_u64(text_of(name), &value) || value >= UINT32_MAX)
        return false;
    *ret_number = (uint32_t)value;
    return true;
}

static bool take_number(uint64_t value, uint32_t *ret_number)
{
    *ret_number = (uint32_t)value;
    return value < UINT32_MAX;
}

bool wish_owner_number(const struct wishes *wishes, const char *name, uint32_t *ret_number)
{
    *ret_number = 0;
    for (size_t i = 0; name && i < wishes->users.count; i++) {
        if (strcmp(wishes->users.items[i].name, name) == 0 && !wishes->users.items[i].is_automatic)
            return take_number(wishes->users.items[i].uid, ret_number);
    }
    return !name || strcmp(name, "root") == 0 || parse_number(name, ret_number);
}

bool wish_group_number(const struct wishes *wishes, const char *name, uint32_t *ret_number)
{
    *ret_number = 0;
    for (size_t i = 0; name && i < wishes->groups.count; i++) {
        if (strcmp(wishes->groups.items[i].name, name) == 0 && !wishes->groups.items[i].is_automatic)
            return take_number(wishes->groups.items[i].gid, ret_number);
    }
    for (size_t i = 0; name && i < wishes->users.count; i++) {
        const struct wish_user *user = &wishes->users.items[i];
        if (!user->group && !user->is_automatic && strcmp(user->name, name) == 0)
            return take_number(user->uid, ret_number); /* the group of the user's own name */
    }
    return !name || strcmp(name, "root") == 0 || parse_number(name, ret_number);
}

bool wish_is_automatic(const struct wishes *wishes, const char *name, bool is_user)
{
    for (size_t i = 0; i < (is_user ? wishes->users.count : wishes->groups.count); i++) {
        const char *there = is_user ? wishes->users.items[i].name : wishes->groups.items[i].name;
        bool is_automatic = is_user ? wishes->users.items[i].is_automatic : wishes->groups.items[i].is_automatic;
        if (is_automatic && strcmp(there, name) == 0)
            return true;
    }
    return false;
}

static bool fail(const struct drafts *drafts, struct err *err, const char *what, const char *name, const char *reason)
{
    err_set(err, ERR_USAGE, "%s: %s \"%s\": %s", drafts->request->manifest->path, what, name, reason);
    return false;
}

static const char *field_or(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

static bool check_user(const struct drafts *drafts, const struct wish_user *user, size_t at, struct err *err)
{
    const struct wishes *wishes = drafts->request->wishes;
    const char *fields[] = {user->name, user->comment, user->home, user->shell};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (!account_is_field(field_or(fields[i], "")))
            return fail(drafts, err, "user", user->name, "a value has a colon or a control character");
    }
    if (!*user->name || strchr(user->name, ','))
        return fail(drafts, err, "user", user->name, "no valid name");
    if (user->uid >= UINT32_MAX)
        return fail(drafts, err, "user", user->name, "the number is too big");
    for (size_t i = 0; i < at; i++) {
        if (strcmp(wishes->users.items[i].name, user->name) == 0)
            return fail(drafts, err, "user", user->name, "given twice");
    }
    return true;
}

static bool is_of_base(const struct drafts *drafts, const struct account_group *group)
{
    for (size_t i = 0; i < drafts->base_groups; i++) {
        if (drafts->accounts.groups.items[i] == group)
            return true;
    }
    return false;
}

static const char *group_of_number(const struct drafts *drafts, uint64_t gid)
{
    const struct account_group *group = accounts_group_of_number(&drafts->accounts, (uint32_t)gid);
    return group ? group->name : NULL;
}

/* The base's names keep their numbers (`has`, NULL: it has not the name), and its numbers their names (`other`, NULL: nobody has
 * it). */
static bool suits_base(const struct drafts *drafts, const char *what, const char *name, const uint32_t *has,
                       const char *other, uint64_t number, struct err *err)
{
    if (!drafts->request->ground)
        return true;
    if (has && *has != number)
        return fail(drafts, err, what, name, arena_printf(drafts->arena, "the base has it with the number %u", *has));
    if (!has && other)
        return fail(drafts, err, what, name,
                    arena_printf(drafts->arena, "its number %ju is %s's in the base", (uintmax_t)number, other));
    return true;
}

static bool add_manifest_groups(struct drafts *drafts, struct err *err)
{
    const struct wishes *wishes = drafts->request->wishes;
    bool has_root = false;
    for (size_t i = 0; i < wishes->groups.count; i++)
        has_root |= strcmp(wishes->groups.items[i].name, "root") == 0;
    if (!has_root && !accounts_group(&drafts->accounts, "root"))
        accounts_add_group(&drafts->accounts, "root", 0);
    for (size_t i = 0; i < wishes->groups.count; i++) {
        const struct wish_group *group = &wishes->groups.items[i];
        if (group->is_automatic)
            continue;
        if (!*group->name || !account_is_field(group->name) || strchr(group->name, ','))
            return fail(drafts, err, "group", group->name, "no valid name");
        if (group->gid >= UINT32_MAX)
            return fail(drafts, err, "group", group->name, "the number is too big");
        const struct account_group *there = accounts_group(&drafts->accounts, group->name);
        if (there && !is_of_base(drafts, there))
            return fail(drafts, err, "group", group->name, "given twice");
        if (!suits_base(drafts, "group", group->name, there ? &there->gid : NULL,
                        there ? group->name : group_of_number(drafts, group->gid), group->gid, err))
            return false;
        accounts_add_group(&drafts->accounts, group->name, (uint32_t)group->gid);
    }
    for (size_t i = 0; i < wishes->users.count; i++) {
        const struct wish_user *user = &wishes->users.items[i];
        if (user->is_automatic)
            continue;
        if (!check_user(drafts, user, i, err))
            return false;
        if (!user->group)
            accounts_add_group(&drafts->accounts, user->name, (uint32_t)user->uid);
    }
    return true;
}

/* A user that the base has may be given again, with its number, and become a member of further groups. */
static bool check_against_base(struct drafts *drafts, const struct wish_user *user, struct err *err)
{
    const struct account_user *there = accounts_user(&drafts->accounts, user->name);
    const struct account_user *other = accounts_user_of_number(&drafts->accounts, (uint32_t)user->uid);
    return suits_base(drafts, "user", user->name, there ? &there->uid : NULL, other ? other->name : NULL, user->uid,
                      err);
}

static bool add_manifest_user(struct drafts *drafts, const struct wish_user *user, struct err *err)
{
    struct accounts *accounts = &drafts->accounts;
    struct account_user account = {.name = user->name,
                                   .comment = field_or(user->comment, ""),
                                   .home = field_or(user->home, "/nonexistent"),
                                   .shell = user->shell,
                                   .uid = (uint32_t)user->uid};
    const char *name = user->group ? user->group : user->name;
    const struct account_group *group = accounts_group(accounts, name);
    if (group)
        account.gid = group->gid;
    else if (!parse_number(name, &account.gid))
        return fail(drafts, err, "user", user->name, "its group is no group of the manifest and no number");
    accounts_add_user(accounts, &account);
    for (size_t i = 0; i < user->groups.count; i++) {
        struct account_group *further = accounts_group(accounts, user->groups.items[i]);
        if (!further)
            return fail(drafts, err, "user", user->name,
                        arena_printf(drafts->arena, "\"%s\" is no group of the manifest", user->groups.items[i]));
        accounts_add_member(accounts, further, user->name);
    }
    return true;
}

bool drafts_add_manifest_accounts(struct drafts *drafts, struct err *err)
{
    const struct family_account *superuser = &drafts->request->set->family->root;
    const struct wish_user root = {
        .name = "root", .comment = superuser->comment, .home = superuser->home, .group = "root"};
    const struct wishes *wishes = drafts->request->wishes;
    bool has_root = false;
    if (!add_manifest_groups(drafts, err))
        return false;
    for (size_t i = 0; i < wishes->users.count; i++)
        has_root |= strcmp(wishes->users.items[i].name, "root") == 0;
    if (!has_root && !accounts_user(&drafts->accounts, "root") && !add_manifest_user(drafts, &root, err))
        return false;
    for (size_t i = 0; i < wishes->users.count; i++) {
        if (!wishes->users.items[i].is_automatic && (!check_against_base(drafts, &wishes->users.items[i], err) ||
                                                     !add_manifest_user(drafts, &wishes->users.items[i], err)))
            return false;
    }
    return true;
}

static bool print_passwd(const struct accounts *accounts, struct buf *text)
{
    for (size_t i = 0; i < accounts->users.count; i++) {
        const struct account_user *user = accounts->users.items[i];
        if (!buf_printf(text, "%s:x:%u:%u:%s:%s:%s\n", user->name, user->uid, user->gid, user->comment, user->home,
                        field_or(user->shell, "/usr/sbin/nologin")))
            return false;
    }
    return true;
}

static bool print_group(const struct accounts *accounts, struct buf *text)
{
    for (size_t i = 0; i < accounts->groups.count; i++) {
        const struct account_group *group = accounts->groups.items[i];
        if (!buf_printf(text, "%s:x:%u:", group->name, group->gid))
            return false;
        for (size_t j = 0; j < group->members.count; j++) {
            if (!buf_printf(text, "%s%s", j ? "," : "", group->members.items[j]))
                return false;
        }
        if (!buf_printf(text, "\n"))
            return false;
    }
    return true;
}

/* A package's file gives way; the manifest's own stays an error, because one of the two would be lost. */
static bool add_file(struct drafts *drafts, const char *path, const struct buf *text, bool is_needed, struct err *err)
{
    struct node node = {.path = path,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = text->len,
                        .data = arena_strndup(drafts->arena, text->bytes, text->len),
                        .claim = CLAIM_DATABASE,
                        .why = is_needed ? "users and groups of manifest, recipes and sysusers.d" : "skeleton"};
    struct draft *there = drafts_find(drafts, path);
    if (there && there->made)
        return made_fail(drafts, there->made, err, "%s is created, but `users` and `groups` make it too", path);
    if (!there || there->node.kind == NODE_DIRECTORY)
        return drafts_add(drafts, &node, NULL, err);
    *there = (struct draft){.node = node};
    return true;
}

/* The manifest's own /etc/passwd or /etc/group stays as it is; what it lacks is said. */
static void note_lacking(struct drafts *drafts, const struct draft *made, bool is_passwd)
{
    struct accounts there = {.arena = drafts->arena, .notes = &drafts->notes};
    struct text text = {made->node.data, (size_t)made->node.size_bytes};
    if (is_passwd)
        accounts_read_passwd(&there, text);
    else
        accounts_read_group(&there, text);
    const struct accounts *accounts = &drafts->accounts;
    for (size_t i = 0; i < (is_passwd ? accounts->users.count : accounts->groups.count); i++) {
        const char *name = is_passwd ? accounts->users.items[i]->name : accounts->groups.items[i]->name;
        uint32_t number = is_passwd ? accounts->users.items[i]->uid : accounts->groups.items[i]->gid;
        bool is_known = is_passwd ? accounts_user(&there, name) != NULL : accounts_group(&there, name) != NULL;
        if (!is_known && number)
            list_add(drafts->arena, &drafts->notes,
                     arena_printf(drafts->arena, "the manifest's %s has no line for %s (%u), which packages declare",
                                  made->node.path, name, number));
    }
}

/* Whether there is anything that an image without these files, or with its packages' own, would lack. */
static bool has_accounts(const struct drafts *drafts)
{
    const struct wishes *wishes = drafts->request->wishes;
    return wishes->users.count || wishes->groups.count || drafts->accounts.users.count > drafts->plain_users ||
           drafts->accounts.groups.count > drafts->plain_groups;
}

/* Returns whether the file that is there stays: the manifest's own in any case, a package's when it lacks nothing. */
static bool stays(struct drafts *drafts, const char *path, bool is_needed)
{
    const struct wishes *wishes = drafts->request->wishes;
    const struct draft *there = drafts_find(drafts, path);
    if (!is_needed)
        return there || drafts_obstacle(drafts, path);
    if (!there || !there->made || wishes->users.count || wishes->groups.count)
        return false;
    if (there->node.kind == NODE_FILE)
        note_lacking(drafts, there, strcmp(path, "/etc/passwd") == 0);
    return true;
}

bool drafts_add_users(struct drafts *drafts, struct err *err)
{
    bool is_needed = has_accounts(drafts);
    bool keeps_passwd = stays(drafts, "/etc/passwd", is_needed), keeps_group = stays(drafts, "/etc/group", is_needed);
    struct buf passwd AUTO(buf_done), group AUTO(buf_done);
    buf_init(&passwd, USERS_FILE_CAP);
    buf_init(&group, USERS_FILE_CAP);
    accounts_complete(&drafts->accounts);
    if (!print_passwd(&drafts->accounts, &passwd) || !print_group(&drafts->accounts, &group))
        return fail(drafts, err, "file", "/etc/passwd", "it gets too big");
    return (keeps_passwd || add_file(drafts, "/etc/passwd", &passwd, is_needed, err)) &&
           (keeps_group || add_file(drafts, "/etc/group", &group, is_needed, err));
}
