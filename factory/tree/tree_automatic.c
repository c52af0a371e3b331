/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts and units would have done to accounts and owners, once all others are settled: the manifest, recipes and
 * sysusers.d, the distribution's own accounts. */
#include "package/capability.h"
#include "package/path.h"
#include "plan/rules.h"
#include "tree/tree_draft.h"

#define FIRST_NUMBER 100 /* of system accounts, in Debian and Fedora */

static void add_base(struct drafts *drafts)
{
    const struct accounts *known = &drafts->known;
    for (size_t i = 0; i < known->groups.count; i++)
        (void)drafts_take_known(drafts, known->groups.items[i]->name, false);
    for (size_t i = 0; i < known->users.count; i++)
        (void)drafts_take_known(drafts, known->users.items[i]->name, true);
}

static bool is_free(const struct accounts *accounts, uint32_t number, const char *name)
{
    const struct account_group *group = accounts_group_of_number(accounts, number);
    return !accounts_user_of_number(accounts, number) && (!group || strcmp(group->name, name) == 0);
}

/* Returns the wanted number when it is free, else the first that is. `next` only grows, so each is tried once. */
static uint32_t choose(const struct accounts *accounts, uint64_t wanted, const char *name, uint32_t *next)
{
    if (wanted <= UINT16_MAX && is_free(accounts, (uint32_t)wanted, name))
        return (uint32_t)wanted;
    while (!is_free(accounts, *next, name))
        (*next)++;
    return *next;
}

static void add_group(struct drafts *drafts, const struct wish_group *group, uint32_t *next)
{
    bool is_good = rule_is_user_name(group->name);
    if (!is_good || accounts_group(&drafts->accounts, group->name) ||
        accounts_add_nobody(&drafts->accounts, group->name, false) || drafts_take_known(drafts, group->name, false))
        return;
    accounts_add_group(&drafts->accounts, group->name, choose(&drafts->accounts, group->gid, group->name, next));
}

/* The user's primary group; one that nobody knows is made. */
static uint32_t primary_group(struct drafts *drafts, const struct wish_user *user, uint32_t *next)
{
    const char *name = user->group ? user->group : user->name;
    uint64_t number;
    if (text_parse_u64(text_of(name), &number) && number < UINT32_MAX)
        return (uint32_t)number;
    const struct wish_group wanted = {.name = rule_is_user_name(name) ? name : user->name, .gid = user->uid};
    add_group(drafts, &wanted, next);
    return accounts_group(&drafts->accounts, wanted.name)->gid;
}

static void add_user(struct drafts *drafts, const struct wish_user *user, uint32_t *next)
{
    struct accounts *accounts = &drafts->accounts;
    bool is_good = rule_is_user_name(user->name) && (!user->comment || account_is_field(user->comment)) &&
                   (!user->home || account_is_field(user->home)) && (!user->shell || account_is_field(user->shell));
    if (!is_good || accounts_user(accounts, user->name) || accounts_add_nobody(accounts, user->name, true) ||
        drafts_take_known(drafts, user->name, true))
        return;
    struct account_user account = {.name = user->name,
                                   .comment = user->comment ? user->comment : "",
                                   .home = user->home ? user->home : "/nonexistent",
                                   .shell = user->shell,
                                   .gid = primary_group(drafts, user, next)};
    const struct account_group *own = accounts_group(accounts, user->name);
    account.uid = choose(accounts, user->uid == WISH_NUMBER_FREE && own ? own->gid : user->uid, user->name, next);
    accounts_add_user(accounts, &account);
}

static bool is_account(struct drafts *drafts, const char *name, bool is_user)
{
    bool is_there =
        is_user ? accounts_user(&drafts->accounts, name) != NULL : accounts_group(&drafts->accounts, name) != NULL;
    return is_there || drafts_take_known(drafts, name, is_user);
}

static void add_member(struct drafts *drafts, const char *user, const char *group)
{
    bool is_user = is_account(drafts, user, true);
    if (is_user && is_account(drafts, group, false)) {
        accounts_add_member(&drafts->accounts, accounts_group(&drafts->accounts, group), user);
        return;
    }
    list_add(drafts->arena, &drafts->notes,
             arena_printf(drafts->arena, "%s is no member of %s, because nothing declares the %s",
                          text_printable(drafts->arena, text_of(user)), text_printable(drafts->arena, text_of(group)),
                          is_user ? "group" : "user"));
}

void drafts_add_automatic_accounts(struct drafts *drafts)
{
    const struct wishes *wishes = drafts->request->wishes;
    uint32_t next = FIRST_NUMBER;
    if (drafts->request->has_base_accounts)
        add_base(drafts);
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (wishes->groups.items[i].is_automatic)
            add_group(drafts, &wishes->groups.items[i], &next);
    }
    for (size_t i = 0; i < wishes->users.count; i++) {
        const struct wish_user *user = &wishes->users.items[i];
        if (user->is_automatic)
            add_user(drafts, user, &next);
    }
    for (size_t i = 0; i < wishes->users.count; i++) {
        const struct wish_user *user = &wishes->users.items[i];
        for (size_t j = 0; user->is_automatic && j < user->groups.count; j++)
            add_member(drafts, user->name, user->groups.items[j]);
    }
    for (size_t i = 0; i < wishes->members.count; i++)
        add_member(drafts, wishes->members.items[i].user, wishes->members.items[i].group);
}

/* A change with the numbers of its names. */
struct change {
    const struct wish_owner *wish;
    uint32_t uid, gid;
};

static void set_capabilities(struct drafts *drafts, struct node *node, uint64_t set)
{
    char *value = arena_alloc(drafts->arena, CAPABILITY_BYTES);
    capability_print(set, value);
    node->capability = (struct text){value, CAPABILITY_BYTES};
}

static void apply(struct drafts *drafts, struct draft *draft, const struct change *change)
{
    const struct wish_owner *wish = change->wish;
    struct node *node = &draft->node;
    bool is_file = node->kind == NODE_FILE;
    if (draft->made || node->kind == NODE_SYMLINK)
        return;
    if (wish->owner) {
        node->uid = change->uid;
        draft->owner = NULL;
    }
    if (wish->group) {
        node->gid = change->gid;
        draft->group = NULL;
    }
    if (is_file && (wish->owner || wish->group)) { /* as chown(2) takes away what would be another's privilege */
        node->mode &= ~(uint32_t)04000;
        node->mode &= node->mode & 010 ? ~(uint32_t)02000 : 07777;
        node->capability = (struct text){0};
    }
    if (is_file && wish->capabilities)
        set_capabilities(drafts, node, wish->capabilities);
    bool is_searchable = !is_file || node->mode & 0111;
    node->mode = (node->mode & ~wish->mode_lost) | wish->mode_set | (is_searchable ? wish->mode_search : 0);
}

static bool find_numbers(struct drafts *drafts, struct change *change)
{
    const struct wish_owner *wish = change->wish;
    const char *unknown = NULL;
    if (wish->owner && !drafts_user_number(drafts, wish->owner, &change->uid))
        unknown = wish->owner;
    else if (wish->group && !drafts_group_number(drafts, wish->group, &change->gid))
        unknown = wish->group;
    if (unknown)
        list_add(drafts->arena, &drafts->notes,
                 arena_printf(drafts->arena, "%s stays whose it is, because nothing declares the user or group %s",
                              wish->path, text_printable(drafts->arena, text_of(unknown))));
    return !unknown;
}

static void change_below(struct drafts *drafts, const char *path, const struct change *change)
{
    for (size_t i = 0; i < drafts->by_path.slots.count; i++) {
        struct draft *draft = drafts->by_path.slots.items[i].value;
        if (path_is_below(draft->node.path, path))
            apply(drafts, draft, change);
    }
}

/* Names are looked up only for what is there: an account that nobody needs is not worth a look into further packages. */
void drafts_change_owners(struct drafts *drafts)
{
    const struct wishes *wishes = drafts->request->wishes;
    for (size_t i = 0; i < wishes->owners.count; i++) {
        struct change change = {.wish = &wishes->owners.items[i]};
        const char *reason, *path = path_canonical(drafts->arena, text_of(change.wish->path), &reason);
        const char *end = path ? drafts_link_end(drafts, path) : NULL;
        path = end ? end : path ? drafts_place(drafts, path) : NULL;
        struct draft *draft = path ? drafts_find(drafts, path) : NULL;
        if (!draft || !find_numbers(drafts, &change))
            continue;
        apply(drafts, draft, &change);
        if (change.wish->is_deep)
            change_below(drafts, path, &change);
    }
}
