/* SPDX-License-Identifier: Apache-2.0 */
/* The path is walked from the root on, with links resolved by us: when all that was walked so far can be changed by
 * nobody else, what comes next cannot be swapped after it was looked at. */
#include "io/owner.h"

#include "base/auto.h"
#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LINKS_MAX 40
#define ACCOUNT_BYTES 65536
#define UNSEEN_UID 65534u /* of whom a user namespace has no number (proc(5), overflowuid) */

struct walk {
    struct arena *arena;
    uid_t user;
    struct strings foreign, open; /* "PATH (…)"; PATH */
    size_t link_count;
};

static void auto_close(FILE **stream)
{
    if (*stream)
        (void)fclose(*stream);
}

/* Returns whether somebody but the user and root has the group as his first one. */
static bool is_first_group_of_others(uid_t user, gid_t group)
{
    AUTO(auto_close) FILE *accounts = fopen("/etc/passwd", "re");
    AUTO(arena_done) struct arena scratch = {0};
    char *line = arena_alloc(&scratch, ACCOUNT_BYTES);
    struct passwd account, *found;
    while (accounts && fgetpwent_r(accounts, &account, line, ACCOUNT_BYTES, &found) == 0) {
        if (account.pw_gid == group && account.pw_uid != user && account.pw_uid != 0)
            return true;
    }
    return false;
}

/* Returns whether the group has no members but the user and root. One whose members cannot be told has others. */
static bool is_private_group(uid_t user, gid_t group)
{
    AUTO(arena_done) struct arena scratch = {0};
    char *bytes = arena_alloc(&scratch, ACCOUNT_BYTES), *more = arena_alloc(&scratch, ACCOUNT_BYTES);
    struct group entry, *found = NULL;
    struct passwd account, *is_known = NULL;
    if (group == 0)
        return true;
    if (getgrgid_r(group, &entry, bytes, ACCOUNT_BYTES, &found) != 0)
        return false;
    (void)getpwuid_r(user, &account, more, ACCOUNT_BYTES, &is_known);
    for (char **member = found ? entry.gr_mem : NULL; member && *member; member++) {
        bool is_user = is_known && strcmp(*member, account.pw_name) == 0;
        if (!is_user && strcmp(*member, "root") != 0)
            return false;
    }
    return !is_first_group_of_others(user, group);
}

static bool is_open_to_others(const struct walk *walk, const char *path, const struct stat *status)
{
    if (status->st_mode & S_IWOTH)
        return true;
    if (!(status->st_mode & S_IWGRP))
        return false;
    /* With an access list the group's bit stands for everybody in the list. */
    return getxattr(path, "system.posix_acl_access", NULL, 0) > 0 || !is_private_group(walk->user, status->st_gid);
}

/* Returns whether this process sees only a part of the users: then a number may stand for several. */
static bool is_in_namespace(void)
{
    AUTO(auto_close) FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned long inside = 0, outside = 0, count = 0;
    return map && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3 && count < UINT32_MAX;
}

static const char *print_user(struct arena *arena, uid_t user)
{
    char *bytes = arena_alloc(arena, ACCOUNT_BYTES);
    struct passwd account, *found = NULL;
    (void)getpwuid_r(user, &account, bytes, ACCOUNT_BYTES, &found);
    return found ? arena_printf(arena, "%s (uid %u)", account.pw_name, user) : arena_printf(arena, "uid %u", user);
}

static void examine_owner(struct walk *walk, const char *path, const struct stat *status, bool is_place)
{
    if (status->st_uid == walk->user || status->st_uid == 0)
        return;
    if (status->st_uid == UNSEEN_UID && !is_place && is_in_namespace())
        return;
    list_add(walk->arena, &walk->foreign,
             arena_printf(walk->arena, "%s belongs to %s", path, print_user(walk->arena, status->st_uid)));
}

/* Whether the caller says that nobody else reaches a directory, whatever its mode is. */
static bool is_said_to_be_private(const char *path)
{
    const char *named = secure_getenv("IMGFACTORY_PRIVATE_DIRS"); /* NULL when we have rights that the caller has not */
    struct text rest = text_of(named ? named : ""), part;
    while (text_next(&rest, ':', &part)) {
        while (part.len > 1 && part.ptr[part.len - 1] == '/')
            part.len--;
        if (text_is(part, path))
            return true;
    }
    return false;
}

static void examine_dir(struct walk *walk, const char *path, const struct stat *status, bool is_place)
{
    bool is_sticky = !is_place && status->st_mode & S_ISVTX;
    examine_owner(walk, path, status, is_place);
    if (!is_sticky && is_open_to_others(walk, path, status) && !is_said_to_be_private(path))
        list_add(walk->arena, &walk->open, path);
}

/* Puts what a link says in its place in the rest of the path. */
static bool follow(struct walk *walk, const char *path, struct text *rest, const char **done, struct err *err)
{
    char target[PATH_MAX];
    ssize_t len = ++walk->link_count <= LINKS_MAX ? readlink(path, target, sizeof target - 1) : -1;
    if (len < 0) {
        err_set_errno(err, walk->link_count > LINKS_MAX ? ELOOP : errno, "cannot follow the link %s", path);
        return false;
    }
    target[len] = '\0';
    if (target[0] == '/')
        *done = "";
    *rest = text_of(arena_printf(walk->arena, "%s/%.*s", target, (int)rest->len, rest->ptr ? rest->ptr : ""));
    return true;
}

static const char *parent_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(arena, path, (size_t)(slash - path)) : "";
}

static bool walk_part(struct walk *walk, struct text part, struct text *rest, const char **done, struct err *err)
{
    struct stat status;
    const char *here = arena_printf(walk->arena, "%s/%.*s", *done, (int)part.len, part.ptr);
    if (lstat(here, &status) != 0 && errno == ENOENT) {
        *rest = (struct text){0};
        return true;
    }
    if (lstat(here, &status) != 0) {
        err_set_errno(err, errno, "cannot examine %s", here);
        return false;
    }
    if (S_ISLNK(status.st_mode)) {
        examine_owner(walk, here, &status, false);
        return follow(walk, here, rest, done, err);
    }
    examine_dir(walk, here, &status, rest->len == 0);
    *done = here;
    return true;
}

static bool walk_path(struct walk *walk, const char *path, struct err *err)
{
    char home[PATH_MAX];
    const char *whole = path, *done = "";
    struct text part, rest;
    struct stat root;
    if (path[0] != '/') {
        if (!getcwd(home, sizeof home)) {
            err_set_errno(err, errno, "cannot tell the current directory");
            return false;
        }
        whole = arena_printf(walk->arena, "%s/%s", home, path);
    }
    if (stat("/", &root) == 0)
        examine_dir(walk, "/", &root, false);
    rest = text_of(whole);
    while (text_next(&rest, '/', &part)) {
        if (text_is(part, ".."))
            done = parent_of(walk->arena, done);
        else if (part.len && !text_is(part, ".") && !walk_part(walk, part, &rest, &done, err))
            return false;
    }
    return true;
}

/* Says what is wrong and what to do. Below a directory of somebody else's all is his, so the first one is enough. */
static bool refuse(const struct walk *walk, const char *path, struct err *err)
{
    struct arena *arena = walk->arena;
    const char *foreign = walk->foreign.count ? walk->foreign.items[0] : "", *open = "";
    if (walk->open.count)
        open =
            arena_printf(arena, "%s%s writable by others (chmod go-w %s helps)", strings_join(arena, &walk->open, ", "),
                         walk->open.count > 1 ? " are" : " is", strings_join(arena, &walk->open, " "));
    err_set(err, ERR_LOCAL,
            "%s is not safe: %s%s%s; what lies there is believed, so all directories to it have to belong to %s%s, and "
            "nobody else may write there; %sname other places with --cache and --state%s",
            path, foreign, *foreign && *open ? "; " : "", open, print_user(arena, walk->user),
            walk->user == 0 ? "" : " or root", *foreign ? "run as that user, or " : "",
            *foreign ? "" : " where that cannot be");
    err->detail = EPERM;
    return false;
}

bool owner_check(const char *path, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct walk walk = {.arena = &scratch, .user = geteuid()};
    if (!walk_path(&walk, path, err))
        return false;
    return (!walk.foreign.count && !walk.open.count) || refuse(&walk, path, err);
}

bool owner_is_ours(const struct stat *status)
{
    return (status->st_uid == geteuid() || status->st_uid == 0) && !(status->st_mode & (S_IWGRP | S_IWOTH));
}
