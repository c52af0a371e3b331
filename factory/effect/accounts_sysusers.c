/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd-sysusers makes of its lines (src/sysusers/sysusers.c: add_implicit, process_item, add_group, add_user):
 * all groups are made before all users, in the order of the lines. */
#include "effect/accounts.h"

#include <stdlib.h>

/* Lines while they are turned into accounts. */
struct applying {
    struct accounts *accounts;
    accounts_stat *stat;
    const void *tree;
    struct map users, groups; /* name → struct sysusers_item *, in the order of the lines */
    LIST(const struct sysusers_item *) members;
    LIST(const struct sysusers_item *) ranges;
};

static void note(const struct applying *applying, const struct sysusers_item *item, const char *what)
{
    struct accounts *accounts = applying->accounts;
    list_add(accounts->arena, accounts->notes, arena_printf(accounts->arena, "%s: %s", item->place, what));
}

static bool is_same_string(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same_item(const struct sysusers_item *a, const struct sysusers_item *b)
{
    return a->has_uid == b->has_uid && a->has_gid == b->has_gid && (!a->has_uid || a->uid == b->uid) &&
           (!a->has_gid || a->gid == b->gid) && is_same_string(a->group, b->group) &&
           is_same_string(a->id_path, b->id_path) && is_same_string(a->comment, b->comment) &&
           is_same_string(a->home, b->home) && is_same_string(a->shell, b->shell);
}

static void queue(const struct applying *applying, struct map *map, const struct sysusers_item *item, const char *name)
{
    const struct sysusers_item *there = map_get(map, text_of(name));
    if (!there)
        map_set(map, text_of(name), (void *)item);
    else if (!is_same_item(there, item))
        note(
            applying, item,
            arena_printf(applying->accounts->arena, "%s is declared otherwise at %s, which holds", name, there->place));
}

/* Whoever is a member, and the group, are declared by that, unless other lines do. */
static void queue_implicit(struct applying *applying)
{
    for (size_t i = 0; i < applying->members.count; i++) {
        const struct sysusers_item *member = applying->members.items[i];
        if (!map_get(&applying->users, text_of(member->name)))
            map_set(&applying->users, text_of(member->name), (void *)member);
        if (!map_get(&applying->users, text_of(member->group)) && !map_get(&applying->groups, text_of(member->group)))
            map_set(&applying->groups, text_of(member->group), (void *)member);
    }
}

static bool is_free_gid(const struct accounts *accounts, uint32_t gid, const char *name, bool is_free_of_users)
{
    const struct account_user *user = accounts_user_of_number(accounts, gid);
    if (accounts_group_of_number(accounts, gid))
        return false;
    return !is_free_of_users || !user || strcmp(user->name, name) == 0;
}

static bool is_free_uid(const struct accounts *accounts, uint32_t uid, const char *name, bool is_free_of_groups)
{
    const struct account_group *group = accounts_group_of_number(accounts, uid);
    if (accounts_user_of_number(accounts, uid))
        return false;
    return !is_free_of_groups || !group || strcmp(group->name, name) == 0;
}

static bool is_in_range(const struct applying *applying, uint32_t id)
{
    for (size_t i = 0; i < applying->ranges.count; i++) {
        if (id >= applying->ranges.items[i]->uid && id <= applying->ranges.items[i]->gid)
            return true;
    }
    return !applying->ranges.count && id >= SYSUSERS_ID_MIN && id <= SYSUSERS_ID_MAX;
}

/* Ranges are tried up to 65535 only: ids above are not for services. */
static bool find_free(const struct applying *applying, const char *name, bool is_user, uint32_t *ret_id)
{
    struct accounts *accounts = applying->accounts;
    uint32_t start = accounts->next_id ? accounts->next_id : UINT16_MAX;
    for (uint32_t id = start - 1; id > 0; id--) {
        if (!is_in_range(applying, id))
            continue;
        accounts->next_id = id;
        if (is_user ? is_free_uid(accounts, id, name, true) : is_free_gid(accounts, id, name, true)) {
            *ret_id = id;
            return true;
        }
    }
    return false;
}

static bool stat_path(const struct applying *applying, const struct sysusers_item *item, uint32_t *ret_uid,
                      uint32_t *ret_gid)
{
    return item->id_path && applying->stat && applying->stat(applying->tree, item->id_path, ret_uid, ret_gid);
}

/* Makes the group of a line (of a user's line: the user's own); NULL when no number is left. */
static struct account_group *make_group(const struct applying *applying, const struct sysusers_item *item,
                                        const char *name)
{
    struct accounts *accounts = applying->accounts;
    struct account_group *there = accounts_group(accounts, name);
    uint32_t uid, gid;
    bool is_implicit = item->kind == SYSUSERS_MEMBER;
    if (there)
        return there;
    if (!is_implicit && item->has_gid) {
        if (is_free_gid(accounts, item->gid, name, false))
            return accounts_add_group(accounts, name, item->gid);
        note(applying, item, arena_printf(accounts->arena, "group number %u is taken already", item->gid));
    }
    if (!is_implicit && item->has_uid && is_free_gid(accounts, item->uid, name, true))
        return accounts_add_group(accounts, name, item->uid);
    if (!is_implicit && stat_path(applying, item, &uid, &gid) && gid && is_free_gid(accounts, gid, name, true))
        return accounts_add_group(accounts, name, gid);
    return find_free(applying, name, false, &gid) ? accounts_add_group(accounts, name, gid) : NULL;
}

/* Chooses the number of a user whose group has the number `gid`. */
static bool choose_uid(const struct applying *applying, const struct sysusers_item *item, const char *name,
                       uint32_t gid, uint32_t *ret_uid)
{
    struct accounts *accounts = applying->accounts;
    uint32_t uid, unused;
    bool is_declared = item->kind == SYSUSERS_USER;
    if (is_declared && item->has_uid) {
        /* with a group of its own choice, the number may be that of another group */
        bool is_strict = item->has_gid || item->group || map_get(&applying->groups, text_of(name));
        *ret_uid = item->uid;
        if (is_free_uid(accounts, item->uid, name, !is_strict))
            return true;
        note(applying, item, arena_printf(accounts->arena, "user number %u is taken already", item->uid));
    } else if (is_declared && stat_path(applying, item, &uid, &unused) && uid &&
               is_free_uid(accounts, uid, name, true)) {
        *ret_uid = uid;
        return true;
    }
    *ret_uid = gid;
    return is_free_uid(accounts, gid, name, true) || find_free(applying, name, true, ret_uid);
}

/* The primary group that a user's line names: there, or known to the distribution. */
static struct account_group *named_group(const struct applying *applying, const char *name)
{
    struct accounts *accounts = applying->accounts;
    struct account_group *there = accounts_group(accounts, name);
    if (there || accounts_add_nobody(accounts, name, false))
        return accounts_group(accounts, name);
    accounts->has_asked = true;
    const struct account_group *known = accounts->known ? accounts_group(accounts->known, name) : NULL;
    return known ? accounts_add_group(accounts, known->name, known->gid) : NULL;
}

/* A user whose line gives the number of a group: that group, under its own name when another line made it. */
static struct account_group *primary_group(const struct applying *applying, const struct sysusers_item *item,
                                           const char *name)
{
    struct accounts *accounts = applying->accounts;
    bool is_declared = item->kind == SYSUSERS_USER;
    if (is_declared && item->group)
        return named_group(applying, item->group);
    struct account_group *numbered =
        is_declared && item->has_gid ? accounts_group_of_number(accounts, item->gid) : NULL;
    return numbered ? numbered : make_group(applying, item, name);
}

static void make_user(const struct applying *applying, const struct sysusers_item *item, const char *name)
{
    struct accounts *accounts = applying->accounts;
    if (accounts_user(accounts, name))
        return;
    const struct account_group *group = primary_group(applying, item, name);
    struct account_user user = {.name = name, .comment = "", .home = "/"};
    if (!group || !choose_uid(applying, item, name, group->gid, &user.uid)) {
        note(applying, item,
             arena_printf(accounts->arena, "the user %s cannot be made: %s", name,
                          group ? "no number is left" : "its group is not there"));
        return;
    }
    user.gid = group->gid;
    if (item->kind == SYSUSERS_USER) {
        user.comment = item->comment ? item->comment : "";
        user.home = item->home ? item->home : "/";
        user.shell = item->shell;
    }
    accounts_add_user(accounts, &user);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void make_all(struct applying *applying)
{
    queue_implicit(applying);
    for (size_t i = 0; i < applying->groups.slots.count; i++) {
        const struct map_slot *slot = &applying->groups.slots.items[i];
        const struct sysusers_item *item = slot->value;
        if (!make_group(applying, item, slot->key.ptr))
            note(applying, item, "the group cannot be made: no number is left");
    }
    for (size_t i = 0; i < applying->users.slots.count; i++)
        make_user(applying, applying->users.slots.items[i].value, applying->users.slots.items[i].key.ptr);
    for (size_t i = 0; i < applying->members.count; i++) {
        struct account_group *group = accounts_group(applying->accounts, applying->members.items[i]->group);
        if (!group)
            continue;
        accounts_add_member(applying->accounts, group, applying->members.items[i]->name);
        qsort(group->members.items, group->members.count, sizeof(group->members.items[0]), compare_strings);
    }
}

void accounts_apply(struct accounts *accounts, const struct sysusers *items, accounts_stat *stat, const void *tree)
{
    struct applying applying = {.accounts = accounts,
                                .stat = stat,
                                .tree = tree,
                                .users = {.arena = accounts->arena},
                                .groups = {.arena = accounts->arena}};
    for (size_t i = 0; i < items->count; i++) {
        const struct sysusers_item *item = &items->items[i];
        if (item->kind == SYSUSERS_RANGE)
            list_add(accounts->arena, &applying.ranges, item);
        else if (item->kind == SYSUSERS_MEMBER)
            list_add(accounts->arena, &applying.members, item);
        else
            queue(&applying, item->kind == SYSUSERS_USER ? &applying.users : &applying.groups, item, item->name);
    }
    make_all(&applying);
}

static bool declares(const struct sysusers_item *item, const char *name, bool is_user)
{
    bool is_kind = item->kind == SYSUSERS_USER || (!is_user && item->kind == SYSUSERS_GROUP);
    return is_kind && strcmp(item->name, name) == 0;
}

bool accounts_apply_name(struct accounts *accounts, const struct sysusers *items, const char *name, bool is_user,
                         accounts_stat *stat, const void *tree)
{
    struct sysusers chosen = {0};
    const char *primary = NULL;
    for (size_t i = 0; i < items->count; i++) {
        if (declares(&items->items[i], name, is_user)) {
            list_add(accounts->arena, &chosen, items->items[i]);
            primary = items->items[i].group ? items->items[i].group : primary;
        }
    }
    for (size_t i = 0; i < items->count; i++) {
        const struct sysusers_item *item = &items->items[i];
        bool is_own = item->kind == SYSUSERS_GROUP && strcmp(item->name, name) == 0 && is_user;
        bool is_primary = item->kind == SYSUSERS_GROUP && primary && strcmp(item->name, primary) == 0;
        if (chosen.count && (is_own || is_primary || item->kind == SYSUSERS_RANGE))
            list_add(accounts->arena, &chosen, *item);
    }
    if (chosen.count)
        accounts_apply(accounts, &chosen, stat, tree);
    return is_user ? accounts_user(accounts, name) != NULL : accounts_group(accounts, name) != NULL;
}
