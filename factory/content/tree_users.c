#include "base/auto.h"
#include "content/tree_draft.h"

#define USERS_FILE_CAP ((size_t)16 << 20)

/* One line of /etc/group while it is put together. */
struct group_line {
    const char *name;
    uint64_t gid;
};

struct group_lines {
    struct group_line *items;
    size_t count, capacity;
};

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

bool manifest_owner_number(const struct manifest *manifest, const char *name, uint32_t *ret_number)
{
    *ret_number = 0;
    for (size_t i = 0; name && i < manifest->users.count; i++) {
        if (strcmp(manifest->users.items[i].name, name) == 0)
            return take_number(manifest->users.items[i].uid, ret_number);
    }
    return !name || strcmp(name, "root") == 0 || parse_number(name, ret_number);
}

bool manifest_group_number(const struct manifest *manifest, const char *name, uint32_t *ret_number)
{
    *ret_number = 0;
    for (size_t i = 0; name && i < manifest->groups.count; i++) {
        if (strcmp(manifest->groups.items[i].name, name) == 0)
            return take_number(manifest->groups.items[i].gid, ret_number);
    }
    for (size_t i = 0; name && i < manifest->users.count; i++) {
        const struct manifest_user *user = &manifest->users.items[i];
        if (!user->group && strcmp(user->name, name) == 0)
            return take_number(user->uid, ret_number); /* the group of the user's own name */
    }
    return !name || strcmp(name, "root") == 0 || parse_number(name, ret_number);
}

static const struct group_line *find_group(const struct group_lines *groups, const char *name)
{
    for (size_t i = 0; i < groups->count; i++) {
        if (strcmp(groups->items[i].name, name) == 0)
            return &groups->items[i];
    }
    return NULL;
}

static bool fail(const struct drafts *drafts, struct err *err, const char *what, const char *name, const char *reason)
{
    err_set(err, ERR_USAGE, "%s: %s \"%s\": %s", drafts->request->manifest->path, what, name, reason);
    return false;
}

/* Returns whether the value can stand in one field of a passwd(5) or group(5) line. */
static bool is_field(const char *value)
{
    for (; *value; value++) {
        if (*value == ':' || (unsigned char)*value < 0x20 || *value == 0x7F)
            return false;
    }
    return true;
}

static const char *field_or(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

static bool check_user(const struct drafts *drafts, const struct manifest_user *user, size_t at, struct err *err)
{
    const struct manifest *manifest = drafts->request->manifest;
    const char *fields[] = {user->name, user->comment, user->home, user->shell};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (!is_field(field_or(fields[i], "")))
            return fail(drafts, err, "user", user->name, "a value has a colon or a control character");
    }
    if (!*user->name || strchr(user->name, ','))
        return fail(drafts, err, "user", user->name, "no valid name");
    if (user->uid >= UINT32_MAX)
        return fail(drafts, err, "user", user->name, "the number is too big");
    for (size_t i = 0; i < at; i++) {
        if (strcmp(manifest->users.items[i].name, user->name) == 0)
            return fail(drafts, err, "user", user->name, "given twice");
    }
    return true;
}

/* Collects root's group, the manifest's and those of users' own names. */
static bool collect_groups(const struct drafts *drafts, struct group_lines *groups, struct err *err)
{
    const struct manifest *manifest = drafts->request->manifest;
    bool has_root = false;
    for (size_t i = 0; i < manifest->groups.count; i++)
        has_root |= strcmp(manifest->groups.items[i].name, "root") == 0;
    if (!has_root)
        list_add(drafts->arena, groups, (struct group_line){"root", 0});
    for (size_t i = 0; i < manifest->groups.count; i++) {
        const struct manifest_group *group = &manifest->groups.items[i];
        if (!*group->name || !is_field(group->name) || strchr(group->name, ','))
            return fail(drafts, err, "group", group->name, "no valid name");
        if (group->gid >= UINT32_MAX)
            return fail(drafts, err, "group", group->name, "the number is too big");
        if (find_group(groups, group->name))
            return fail(drafts, err, "group", group->name, "given twice");
        list_add(drafts->arena, groups, (struct group_line){group->name, group->gid});
    }
    for (size_t i = 0; i < manifest->users.count; i++) {
        const struct manifest_user *user = &manifest->users.items[i];
        if (!check_user(drafts, user, i, err))
            return false;
        if (!user->group && !find_group(groups, user->name))
            list_add(drafts->arena, groups, (struct group_line){user->name, user->uid});
    }
    return true;
}

static bool add_passwd_line(const struct drafts *drafts, struct buf *text, const struct manifest_user *user,
                            const struct group_lines *groups, struct err *err)
{
    uint32_t number = 0;
    const char *name = user->group ? user->group : user->name;
    const struct group_line *group = find_group(groups, name);
    if (!group && !parse_number(name, &number))
        return fail(drafts, err, "user", user->name, "its group is no group of the manifest and no number");
    for (size_t i = 0; i < user->groups.count; i++) {
        if (!find_group(groups, user->groups.items[i]))
            return fail(drafts, err, "user", user->name,
                        arena_printf(drafts->arena, "\"%s\" is no group of the manifest", user->groups.items[i]));
    }
    if (!buf_printf(text, "%s:x:%ju:%ju:%s:%s:%s\n", user->name, (uintmax_t)user->uid,
                    (uintmax_t)(group ? group->gid : number), field_or(user->comment, ""),
                    field_or(user->home, "/nonexistent"), field_or(user->shell, "/usr/sbin/nologin")))
        return fail(drafts, err, "user", user->name, "/etc/passwd gets too big");
    return true;
}

static bool print_passwd(const struct drafts *drafts, struct buf *text, const struct group_lines *groups,
                         struct err *err)
{
    static const struct manifest_user root = {
        .name = "root", .comment = "root", .home = "/root", .shell = "/usr/sbin/nologin", .group = "root"};
    const struct manifest *manifest = drafts->request->manifest;
    bool has_root = false;
    for (size_t i = 0; i < manifest->users.count; i++)
        has_root |= strcmp(manifest->users.items[i].name, "root") == 0;
    if (!has_root && !add_passwd_line(drafts, text, &root, groups, err))
        return false;
    for (size_t i = 0; i < manifest->users.count; i++) {
        if (!add_passwd_line(drafts, text, &manifest->users.items[i], groups, err))
            return false;
    }
    return true;
}

static bool print_group(const struct drafts *drafts, struct buf *text, const struct group_lines *groups)
{
    const struct manifest *manifest = drafts->request->manifest;
    for (size_t i = 0; i < groups->count; i++) {
        const struct group_line *group = &groups->items[i];
        if (!buf_printf(text, "%s:x:%ju:", group->name, (uintmax_t)group->gid))
            return false;
        const char *separator = "";
        for (size_t j = 0; j < manifest->users.count; j++) {
            const struct manifest_user *user = &manifest->users.items[j];
            if (!strings_has(&user->groups, group->name))
                continue;
            if (!buf_printf(text, "%s%s", separator, user->name))
                return false;
            separator = ",";
        }
        if (!buf_printf(text, "\n"))
            return false;
    }
    return true;
}

/* A package's file gives way; the manifest's own stays an error, because one of the two would be lost. */
static bool add_file(struct drafts *drafts, const char *path, const struct buf *text, struct err *err)
{
    struct node node = {.path = path,
                        .kind = NODE_FILE,
                        .mode = 0644,
                        .size_bytes = text->len,
                        .data = arena_strndup(drafts->arena, text->bytes, text->len),
                        .why = "users and groups of the manifest"};
    struct draft *there = drafts_find(drafts, path);
    if (there && there->made)
        return made_fail(drafts, there->made, err, "%s is created, but `users` and `groups` make it too", path);
    if (!there || there->node.kind == NODE_DIRECTORY)
        return drafts_add(drafts, &node, NULL, err);
    *there = (struct draft){.node = node};
    return true;
}

bool drafts_add_users(struct drafts *drafts, struct err *err)
{
    const struct manifest *manifest = drafts->request->manifest;
    if (!manifest->users.count && !manifest->groups.count)
        return true;
    struct buf passwd AUTO(buf_done), group AUTO(buf_done);
    buf_init(&passwd, USERS_FILE_CAP);
    buf_init(&group, USERS_FILE_CAP);
    struct group_lines groups = {0};
    if (!collect_groups(drafts, &groups, err) || !print_passwd(drafts, &passwd, &groups, err))
        return false;
    if (!print_group(drafts, &group, &groups))
        return fail(drafts, err, "file", "/etc/group", "it gets too big");
    return add_file(drafts, "/etc/passwd", &passwd, err) && add_file(drafts, "/etc/group", &group, err);
}
