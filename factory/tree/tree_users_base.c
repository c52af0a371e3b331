/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts of an image on a base: its files stay as they are, line by line, and get further lines, as useradd(8) and
 * groupadd(8) do it; who has no line in a shadow file that the base has could not be looked up there. */
#include "base/auto.h"
#include "tree/tree_draft.h"

#define FILE_CAP ((size_t)16 << 20)
#define DAY_S 86400
#define FIELDS_MAX 4 /* in group(5) and gshadow(5) members are the fourth */

/* One of the four files, continued. */
struct continued {
    const char *path;
    struct text there; /* the base's */
    const struct entry *entry;
    struct buf text;
    bool is_changed;
};

static bool read_base_file(const struct drafts *drafts, const char *path, struct continued *ret_file, struct err *err)
{
    bool is_found;
    *ret_file =
        (struct continued){.path = path, .entry = ground_walk(drafts->request->ground, drafts->arena, path, NULL)};
    buf_init(&ret_file->text, FILE_CAP);
    return ground_read(drafts->request->ground, path, &ret_file->there, &is_found, err);
}

bool drafts_read_base_accounts(struct drafts *drafts, struct err *err)
{
    struct text passwd = {0};
    bool is_found;
    const struct ground *ground = drafts->request->ground;
    if (!ground)
        return true;
    if (!ground_read(ground, "/etc/passwd", &passwd, &is_found, err) ||
        !ground_read(ground, "/etc/group", &drafts->base_group, &is_found, err))
        return false;
    accounts_read_passwd(&drafts->accounts, passwd);
    accounts_read_group(&drafts->accounts, drafts->base_group);
    drafts->base_users = drafts->accounts.users.count;
    drafts->base_groups = drafts->accounts.groups.count;
    return true;
}

/* Splits a line at its colons. */
static size_t split(struct text line, struct text *fields)
{
    size_t count = 0;
    while (count < FIELDS_MAX && text_next(&line, ':', &fields[count]))
        count++;
    return count;
}

static bool has_member(struct text members, const char *name)
{
    struct text member;
    while (text_next(&members, ',', &member)) {
        if (text_is(member, name))
            return true;
    }
    return false;
}

/* Prints a line of group or gshadow, with the members that it lacks behind those that it has. */
static bool print_line(const struct drafts *drafts, struct text line, struct continued *file)
{
    struct text fields[FIELDS_MAX];
    bool is_good = buf_add(&file->text, line.ptr, line.len);
    if (split(line, fields) != FIELDS_MAX)
        return is_good && buf_add(&file->text, "\n", 1);
    AUTO(arena_done) struct arena scratch = {0};
    const struct account_group *group = accounts_group(&drafts->accounts, text_dup(&scratch, fields[0]));
    bool is_first = !fields[3].len;
    for (size_t i = 0; is_good && group && i < group->members.count; i++) {
        if (has_member(fields[3], group->members.items[i]))
            continue;
        is_good = buf_printf(&file->text, "%s%s", is_first ? "" : ",", group->members.items[i]);
        is_first = false;
        file->is_changed = true;
    }
    return is_good && buf_add(&file->text, "\n", 1);
}

/* Prints what the base has. */
static bool print_there(const struct drafts *drafts, bool has_members, struct continued *file)
{
    struct text rest = file->there, line;
    bool is_good = true;
    if (rest.len && rest.ptr[rest.len - 1] == '\n')
        rest.len--;
    while (is_good && rest.len && text_next(&rest, '\n', &line))
        is_good = has_members ? print_line(drafts, line, file)
                              : buf_add(&file->text, line.ptr, line.len) && buf_add(&file->text, "\n", 1);
    return is_good;
}

static bool print_members(const struct account_group *group, struct continued *file)
{
    bool is_good = true;
    for (size_t i = 0; is_good && i < group->members.count; i++)
        is_good = buf_printf(&file->text, "%s%s", i ? "," : "", group->members.items[i]);
    return is_good && buf_add(&file->text, "\n", 1);
}

static bool print_users(const struct drafts *drafts, int64_t created, struct continued *passwd,
                        struct continued *shadow)
{
    bool is_good = print_there(drafts, false, passwd) && print_there(drafts, false, shadow);
    for (size_t i = drafts->base_users; is_good && i < drafts->accounts.users.count; i++) {
        const struct account_user *user = drafts->accounts.users.items[i];
        is_good = buf_printf(&passwd->text, "%s:x:%u:%u:%s:%s:%s\n", user->name, user->uid, user->gid, user->comment,
                             user->home, user->shell ? user->shell : "/usr/sbin/nologin") &&
                  buf_printf(&shadow->text, "%s:!:%jd::::::\n", user->name, (intmax_t)(created / DAY_S));
        passwd->is_changed = shadow->is_changed = true;
    }
    return is_good;
}

static bool print_groups(const struct drafts *drafts, struct continued *group, struct continued *gshadow)
{
    bool is_good = print_there(drafts, true, group) && print_there(drafts, true, gshadow);
    for (size_t i = drafts->base_groups; is_good && i < drafts->accounts.groups.count; i++) {
        const struct account_group *added = drafts->accounts.groups.items[i];
        is_good = buf_printf(&group->text, "%s:x:%u:", added->name, added->gid) && print_members(added, group) &&
                  buf_printf(&gshadow->text, "%s:!::", added->name) && print_members(added, gshadow);
        group->is_changed = gshadow->is_changed = true;
    }
    return is_good;
}

/* Adds the file; the manifest's own is meant, and a shadow file that the base has not is none of ours. */
static bool add_file(struct drafts *drafts, const struct continued *file, bool is_wanted, struct err *err)
{
    if (!file->is_changed || !is_wanted || drafts_find(drafts, file->path))
        return true;
    struct node node = {.path = file->path,
                        .kind = NODE_FILE,
                        .mode = file->entry ? file->entry->mode : 0644,
                        .uid = file->entry ? file->entry->uid : 0,
                        .gid = file->entry ? file->entry->gid : 0,
                        .size_bytes = file->text.len,
                        .data = arena_strndup(drafts->arena, file->text.bytes, file->text.len),
                        .claim = CLAIM_DATABASE,
                        .why = "the base's accounts, and those of manifest, recipes and sysusers.d"};
    return drafts_add(drafts, &node, NULL, err);
}

bool drafts_continue_users(struct drafts *drafts, const struct tree *tree, struct err *err)
{
    static const char *const paths[] = {"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"};
    struct continued files[ARRAY_COUNT(paths)] = {0};
    bool is_good = true;
    accounts_complete(&drafts->accounts);
    for (size_t i = 0; is_good && i < ARRAY_COUNT(paths); i++)
        is_good = read_base_file(drafts, paths[i], &files[i], err);
    if (is_good && (!print_users(drafts, tree->created_time, &files[0], &files[1]) ||
                    !print_groups(drafts, &files[2], &files[3]))) {
        err_set(err, ERR_MALFORMED, "the base's accounts are more than an image may have");
        is_good = false;
    }
    for (size_t i = 0; is_good && i < ARRAY_COUNT(paths); i++)
        is_good = add_file(drafts, &files[i], i % 2 == 0 || files[i].entry, err);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++)
        buf_done(&files[i].text);
    return is_good;
}
