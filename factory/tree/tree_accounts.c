/* SPDX-License-Identifier: Apache-2.0 */
/* Which accounts an image has, and what number an owner's name is. */
#include "tree/tree_draft.h"

#define SYSUSERS_DIR "/usr/lib/sysusers.d"

bool drafts_describe_system(const struct drafts *drafts, const struct package *package)
{
    return strings_has(&drafts->request->set->family->whole_system, package->name);
}

static bool stat_draft(const void *tree, const char *path, uint32_t *ret_uid, uint32_t *ret_gid)
{
    const struct drafts *drafts = tree;
    const struct draft *draft = drafts_find(drafts, path);
    if (!draft || draft->owner || draft->group)
        return false;
    *ret_uid = draft->node.uid;
    *ret_gid = draft->node.gid;
    return true;
}

static bool read_sysusers(struct drafts *drafts, const struct package *const *packages, size_t count,
                          struct sysusers *ret_items, struct strings *notes, struct err *err)
{
    struct dropins files;
    struct dropin_lines lines;
    dropin_list(drafts->arena, packages, count, SYSUSERS_DIR, &files);
    if (!dropin_read(drafts->arena, &files, &lines, notes, err))
        return false;
    sysusers_parse(drafts->arena, &lines, ret_items, notes);
    return true;
}

static bool has_given(const struct tree *tree, const struct package *package)
{
    for (size_t i = 0; i < tree->package_count; i++) {
        if (tree->packages[i] == package)
            return true;
    }
    return false;
}

/* The bytes of a file that need not be in the image, where nobody else would check them; empty when there is none. */
static bool take_base(const struct package *package, const char *path, struct text *ret_bytes, struct err *err)
{
    const struct entry *entry = package_find(package, path);
    *ret_bytes = (struct text){0};
    if (!entry || entry->kind != ENTRY_FILE)
        return true;
    struct digest digest = digest_of(entry->data, (size_t)entry->size_bytes);
    if (!digest_eq(&digest, &entry->digest)) {
        err_set(err, ERR_TRUST, "%s (package %s): its bytes are not those that were unpacked; remove the cache", path,
                package->name);
        return false;
    }
    *ret_bytes = (struct text){entry->data, (size_t)entry->size_bytes};
    return true;
}

static bool read_base(struct drafts *drafts, const struct package *package, struct err *err)
{
    const struct family *family = drafts->request->set->family;
    for (size_t i = 0; i < family->accounts.count; i++) {
        const struct family_accounts *accounts = &family->accounts.items[i];
        struct text passwd, group;
        if (strcmp(package->name, accounts->package) != 0)
            continue;
        if (!take_base(package, accounts->passwd, &passwd, err) || !take_base(package, accounts->group, &group, err))
            return false;
        accounts_read_passwd(&drafts->known, passwd);
        accounts_read_group(&drafts->known, group);
    }
    return true;
}

static bool parse_number(const char *name, uint32_t *ret_number)
{
    uint64_t value = 0;
    if (!text_parse_u64(text_of(name), &value) || value >= UINT32_MAX)
        return false;
    *ret_number = (uint32_t)value;
    return true;
}

/* What every system of the family has, also where no package that says so is looked into. */
static void read_family(struct drafts *drafts)
{
    const struct wishes *base = &drafts->request->set->family->skeleton;
    struct accounts *known = &drafts->known;
    for (size_t i = 0; i < base->groups.count; i++)
        accounts_add_group(known, base->groups.items[i].name, (uint32_t)base->groups.items[i].gid);
    for (size_t i = 0; i < base->users.count; i++) {
        const struct wish_user *user = &base->users.items[i];
        const struct account_group *group = accounts_group(known, user->group);
        struct account_user account = {.name = user->name,
                                       .comment = user->comment,
                                       .home = user->home,
                                       .shell = user->shell,
                                       .uid = (uint32_t)user->uid,
                                       .gid = group ? group->gid : 0};
        if (group || strcmp(user->group, "root") == 0 || parse_number(user->group, &account.gid))
            accounts_add_user(known, &account);
    }
}

/* An /etc/passwd that a package gives, or the manifest creates, says who is there; ours then has its accounts too. */
static void read_shipped(struct drafts *drafts)
{
    const struct wishes *wishes = drafts->request->wishes;
    const struct draft *passwd = drafts_find(drafts, "/etc/passwd"), *group = drafts_find(drafts, "/etc/group");
    if (wishes->users.count || wishes->groups.count)
        return; /* the manifest's replace them */
    if (passwd && passwd->node.kind == NODE_FILE)
        accounts_read_passwd(&drafts->accounts, (struct text){passwd->node.data, (size_t)passwd->node.size_bytes});
    if (group && group->node.kind == NODE_FILE)
        accounts_read_group(&drafts->accounts, (struct text){group->node.data, (size_t)group->node.size_bytes});
}

static bool is_there(const struct drafts *drafts, const char *name, bool is_user)
{
    return is_user ? accounts_user(&drafts->accounts, name) != NULL : accounts_group(&drafts->accounts, name) != NULL;
}

bool drafts_take_known(struct drafts *drafts, const char *name, bool is_user)
{
    struct accounts *known = &drafts->known;
    const struct account_user *user = is_user ? accounts_user(known, name) : NULL;
    const struct account_group *group = user      ? accounts_group_of_number(known, user->gid)
                                        : is_user ? NULL
                                                  : accounts_group(known, name);
    if (group && !accounts_group_of_number(&drafts->accounts, group->gid))
        accounts_add_group(&drafts->accounts, group->name, group->gid);
    if (user && !accounts_user_of_number(&drafts->accounts, user->uid))
        accounts_add_user(&drafts->accounts, user);
    return is_there(drafts, name, is_user);
}

/* Makes sure that a name is an account of the image. What is not declared by the packages that gave files is looked up
 * in all packages of the selection, so that the answer does not depend on which of them were unpacked. */
static bool want_account(struct drafts *drafts, const char *name, bool is_user)
{
    if (is_there(drafts, name, is_user) || accounts_add_nobody(&drafts->accounts, name, is_user))
        return true;
    if (drafts->request->has_base_accounts && drafts_take_known(drafts, name, is_user))
        return true;
    drafts->wants_all = drafts->wants_all || drafts->request->is_partial;
    if (accounts_apply_name(&drafts->accounts, &drafts->declared, name, is_user, stat_draft, drafts))
        return true;
    return drafts_take_known(drafts, name, is_user);
}

bool drafts_user_number(struct drafts *drafts, const char *name, uint32_t *ret_number)
{
    if (parse_number(name, ret_number))
        return true;
    bool is_known = want_account(drafts, name, true);
    *ret_number = is_known ? accounts_user(&drafts->accounts, name)->uid : 0;
    return is_known;
}

bool drafts_group_number(struct drafts *drafts, const char *name, uint32_t *ret_number)
{
    if (parse_number(name, ret_number))
        return true;
    bool is_known = want_account(drafts, name, false);
    *ret_number = is_known ? accounts_group(&drafts->accounts, name)->gid : 0;
    return is_known;
}

void drafts_want_run_user(struct drafts *drafts)
{
    const struct tree_request *request = drafts->request;
    const char *both = (request->config ? request->config : &request->manifest->config)->user;
    struct text group = text_of(both ? both : ""), user;
    uint32_t unused;
    if (text_next(&group, ':', &user) && user.len)
        (void)!drafts_user_number(drafts, text_dup(drafts->arena, user), &unused);
    if (group.len)
        (void)!drafts_group_number(drafts, text_dup(drafts->arena, group), &unused);
}

bool drafts_collect_accounts(struct drafts *drafts, const struct tree *tree, struct err *err)
{
    struct arena *arena = drafts->arena;
    const struct fileset *set = drafts->request->set;
    drafts->accounts = (struct accounts){
        .arena = arena, .notes = &drafts->notes, .known = &drafts->known, .nobody = &set->family->nobody};
    struct strings unused = {0};
    drafts->known = (struct accounts){.arena = arena, .notes = &unused};
    if (!drafts_read_base_accounts(drafts, err))
        return false;
    if (!drafts->request->ground)
        read_shipped(drafts);
    if (!drafts_add_manifest_accounts(drafts, err))
        return false;
    drafts->plain_users = drafts->accounts.users.count;
    drafts->plain_groups = drafts->accounts.groups.count;
    struct {
        const struct package **items;
        size_t count, capacity;
    } givers = {0}, others = {0};
    for (size_t i = 0; i < set->package_count; i++) {
        if (!read_base(drafts, set->packages[i], err))
            return false;
        if (has_given(tree, set->packages[i]) && !drafts_describe_system(drafts, set->packages[i]))
            list_add(arena, &givers, set->packages[i]);
        else
            list_add(arena, &others, set->packages[i]);
    }
    read_family(drafts);
    struct sysusers items;
    if (!read_sysusers(drafts, givers.items, givers.count, &items, &drafts->notes, err) ||
        !read_sysusers(drafts, others.items, others.count, &drafts->declared, &unused, err))
        return false;
    accounts_apply(&drafts->accounts, &items, stat_draft, drafts);
    drafts->wants_all = drafts->request->is_partial && drafts->accounts.has_asked;
    return true;
}

static void note_unknown(struct drafts *drafts, struct map *unknown, const struct draft *draft, const char *what,
                         const char *name)
{
    const char *key = arena_printf(drafts->arena, "%s %s", what, name);
    if (map_add(unknown, text_of(key), (void *)key))
        list_add(drafts->arena, &drafts->notes,
                 arena_printf(drafts->arena,
                              "%s of %s belongs to the %s %s, which nothing declares: it is root's; add it to the "
                              "manifest's `%ss`",
                              draft->node.path, draft_giver(drafts->arena, draft), what,
                              text_printable(drafts->arena, text_of(name)), what));
}

void drafts_number_owners(struct drafts *drafts)
{
    struct map unknown = {.arena = drafts->arena};
    for (size_t i = 0; i < drafts->by_path.slots.count; i++) {
        struct draft *draft = drafts->by_path.slots.items[i].value;
        if (draft->owner && !drafts_user_number(drafts, draft->owner, &draft->node.uid))
            note_unknown(drafts, &unknown, draft, "user", draft->owner);
        if (draft->group && !drafts_group_number(drafts, draft->group, &draft->node.gid))
            note_unknown(drafts, &unknown, draft, "group", draft->group);
        draft->owner = draft->group = NULL;
    }
}
