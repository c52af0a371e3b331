/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/wishes.h"

#define FIRST_NUMBER 100 /* of system accounts, in Debian and Fedora */

/* Lists are small everywhere: a few users, a hundred paths in any image. */

const struct wish_made *wishes_made(const struct wishes *wishes, const char *path)
{
    for (size_t i = 0; i < wishes->made.count; i++) {
        if (strcmp(wishes->made.items[i].path, path) == 0)
            return &wishes->made.items[i];
    }
    return NULL;
}

bool wishes_has_user(const struct wishes *wishes, const char *name)
{
    for (size_t i = 0; i < wishes->users.count; i++) {
        if (strcmp(wishes->users.items[i].name, name) == 0)
            return true;
    }
    return false;
}

const struct wish_package *wishes_package(const struct wishes *wishes, const char *name)
{
    for (size_t i = 0; i < wishes->packages.count; i++) {
        if (strcmp(wishes->packages.items[i].name, name) == 0)
            return &wishes->packages.items[i];
    }
    return NULL;
}

const char *wish_giver(const char *giver)
{
    return giver ? giver : "the manifest";
}

static bool has_file(const struct wishes *wishes, const char *path)
{
    for (size_t i = 0; i < wishes->files.count; i++) {
        if (strcmp(wishes->files.items[i].path, path) == 0)
            return true;
    }
    return false;
}

static bool has_variable(const struct wishes *wishes, const char *name)
{
    for (size_t i = 0; i < wishes->env.count; i++) {
        if (strcmp(wishes->env.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static const struct wish_group *find_group(const struct wishes *wishes, const char *name)
{
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (strcmp(wishes->groups.items[i].name, name) == 0)
            return &wishes->groups.items[i];
    }
    return NULL;
}

static const struct wish_user *find_user(const struct wishes *wishes, const char *name)
{
    for (size_t i = 0; i < wishes->users.count; i++) {
        if (strcmp(wishes->users.items[i].name, name) == 0)
            return &wishes->users.items[i];
    }
    return NULL;
}

static bool is_gid_taken(const struct wishes *wishes, uint64_t gid)
{
    for (size_t i = 0; i < wishes->groups.count; i++) {
        if (wishes->groups.items[i].gid == gid && gid != WISH_NUMBER_FREE)
            return true;
    }
    return false;
}

static bool is_uid_taken(const struct wishes *wishes, uint64_t uid)
{
    for (size_t i = 0; i < wishes->users.count; i++) {
        if (wishes->users.items[i].uid == uid && uid != WISH_NUMBER_FREE)
            return true;
    }
    return false;
}

/* Copies every item of one list behind those of another. */
#define ADD_ALL(arena, into, from)                                                                                     \
    do {                                                                                                               \
        for (size_t i_ = 0; i_ < (from)->count; i_++)                                                                  \
            list_add((arena), (into), (from)->items[i_]);                                                              \
    } while (0)

static void add_all(struct arena *arena, struct wishes *into, const struct wishes *from)
{
    ADD_ALL(arena, &into->files, &from->files);
    ADD_ALL(arena, &into->made, &from->made);
    ADD_ALL(arena, &into->users, &from->users);
    ADD_ALL(arena, &into->groups, &from->groups);
    ADD_ALL(arena, &into->owners, &from->owners);
    ADD_ALL(arena, &into->overrides, &from->overrides);
    ADD_ALL(arena, &into->members, &from->members);
    ADD_ALL(arena, &into->env, &from->env);
    ADD_ALL(arena, &into->packages, &from->packages);
    into->follows_pam = into->follows_pam || from->follows_pam;
}

/* Accounts that are not there, with free numbers. What is below `gid` and `uid` is taken, and stays so. */
static void merge_accounts(struct arena *arena, struct wishes *into, const struct wishes *from)
{
    uint64_t gid = FIRST_NUMBER, uid = FIRST_NUMBER;
    for (size_t i = 0; i < from->groups.count; i++) {
        struct wish_group group = from->groups.items[i];
        if (find_group(into, group.name))
            continue;
        while (!group.is_automatic && is_gid_taken(into, group.gid))
            group.gid = gid++;
        list_add(arena, &into->groups, group);
    }
    for (size_t i = 0; i < from->users.count; i++) {
        struct wish_user user = from->users.items[i];
        if (find_user(into, user.name))
            continue;
        while (!user.is_automatic && is_uid_taken(into, user.uid))
            user.uid = uid++;
        list_add(arena, &into->users, user);
    }
}

/* A path that `a` makes, or names as a file to take from a package, is of `a`. */
static bool has_path(const struct wishes *a, const struct wish_made *made)
{
    return wishes_made(a, made->path) || (made->kind != MADE_DIRECTORY && has_file(a, made->path));
}

struct wishes wishes_merge(struct arena *arena, const struct wishes *a, const struct wishes *b)
{
    struct wishes merged = {0};
    add_all(arena, &merged, a);
    merge_accounts(arena, &merged, b);
    for (size_t i = 0; i < b->made.count; i++) {
        if (!has_path(a, &b->made.items[i]))
            list_add(arena, &merged.made, b->made.items[i]);
    }
    for (size_t i = 0; i < b->owners.count; i++) {
        if (b->owners.items[i].is_deep || !wishes_made(a, b->owners.items[i].path))
            list_add(arena, &merged.owners, b->owners.items[i]);
    }
    ADD_ALL(arena, &merged.overrides, &b->overrides);
    ADD_ALL(arena, &merged.members, &b->members);
    for (size_t i = 0; i < b->files.count; i++) {
        if (!has_file(a, b->files.items[i].path))
            list_add(arena, &merged.files, b->files.items[i]);
    }
    for (size_t i = 0; i < b->packages.count; i++) {
        if (!wishes_package(&merged, b->packages.items[i].name))
            list_add(arena, &merged.packages, b->packages.items[i]);
    }
    for (size_t i = 0; i < b->env.count; i++) {
        if (!has_variable(a, b->env.items[i].name))
            list_add(arena, &merged.env, b->env.items[i]);
    }
    merged.follows_pam = a->follows_pam || b->follows_pam;
    return merged;
}

struct wishes wishes_join(struct arena *arena, const struct wishes *a, const struct wishes *b)
{
    struct wishes joined = {0};
    add_all(arena, &joined, a);
    add_all(arena, &joined, b);
    return joined;
}

struct wishes wishes_without(struct arena *arena, const struct wishes *wishes, const struct strings *packages)
{
    struct wishes rest = *wishes;
    memset(&rest.packages, 0, sizeof rest.packages);
    for (size_t i = 0; i < wishes->packages.count; i++) {
        if (!strings_has(packages, wishes->packages.items[i].name))
            list_add(arena, &rest.packages, wishes->packages.items[i]);
    }
    return rest;
}

#define SIGN(list, name)                                                                                               \
    do {                                                                                                               \
        for (size_t i_ = 0; i_ < (list)->count; i_++)                                                                  \
            (list)->items[i_].giver = (name);                                                                          \
    } while (0)

void wishes_sign(struct wishes *wishes, const char *giver)
{
    SIGN(&wishes->files, giver);
    SIGN(&wishes->made, giver);
    SIGN(&wishes->users, giver);
    SIGN(&wishes->groups, giver);
    SIGN(&wishes->owners, giver);
    SIGN(&wishes->overrides, giver);
    SIGN(&wishes->members, giver);
    SIGN(&wishes->env, giver);
    SIGN(&wishes->packages, giver);
}

struct text wish_content(const struct wish_made *made)
{
    const char *content = made->content ? made->content : "";
    return (struct text){content, made->content_bytes ? made->content_bytes : strlen(content)};
}

static bool same_file(const struct wish_file *a, const struct wish_file *b)
{
    return text_same(a->path, b->path) && strings_same(&a->packages, &b->packages) &&
           strings_same(&a->except, &b->except) && a->is_optional == b->is_optional;
}

static bool same_made(const struct wish_made *a, const struct wish_made *b)
{
    return a->kind == b->kind && text_same(a->path, b->path) && a->mode == b->mode && text_same(a->owner, b->owner) &&
           text_same(a->group, b->group) && text_eq(wish_content(a), wish_content(b)) &&
           text_same(a->target, b->target) && text_same(a->source, b->source) && a->keeps_mode == b->keeps_mode &&
           a->yields_to_tmpfiles == b->yields_to_tmpfiles;
}

static bool same_owner(const struct wish_owner *a, const struct wish_owner *b)
{
    return text_same(a->path, b->path) && text_same(a->owner, b->owner) && text_same(a->group, b->group) &&
           a->mode_lost == b->mode_lost && a->mode_set == b->mode_set && a->mode_search == b->mode_search &&
           a->is_deep == b->is_deep && a->capabilities == b->capabilities;
}

static bool same_override(const struct wish_override *a, const struct wish_override *b)
{
    return text_same(a->path, b->path) && text_same(a->owner, b->owner) && text_same(a->group, b->group) &&
           a->mode == b->mode;
}

static bool same_member(const struct wish_member *a, const struct wish_member *b)
{
    return text_same(a->user, b->user) && text_same(a->group, b->group);
}

static bool same_user(const struct wish_user *a, const struct wish_user *b)
{
    return text_same(a->name, b->name) && text_same(a->comment, b->comment) && text_same(a->home, b->home) &&
           text_same(a->shell, b->shell) && a->uid == b->uid && text_same(a->group, b->group) &&
           strings_same(&a->groups, &b->groups);
}

static bool same_group(const struct wish_group *a, const struct wish_group *b)
{
    return text_same(a->name, b->name) && a->gid == b->gid;
}

static bool same_variable(const struct wish_variable *a, const struct wish_variable *b)
{
    return text_same(a->name, b->name) && text_same(a->value, b->value);
}

static bool same_package(const struct wish_package *a, const struct wish_package *b)
{
    return text_same(a->name, b->name);
}

/* Goes through two lists as long as they say the same. */
#define COMPARE(is_same, left, right, same)                                                                            \
    do {                                                                                                               \
        (is_same) = (is_same) && (left)->count == (right)->count;                                                      \
        for (size_t i_ = 0; (is_same) && i_ < (left)->count; i_++)                                                     \
            (is_same) = (same)(&(left)->items[i_], &(right)->items[i_]);                                               \
    } while (0)

bool wishes_same(const struct wishes *a, const struct wishes *b)
{
    bool is_same = a->follows_pam == b->follows_pam;
    COMPARE(is_same, &a->files, &b->files, same_file);
    COMPARE(is_same, &a->made, &b->made, same_made);
    COMPARE(is_same, &a->users, &b->users, same_user);
    COMPARE(is_same, &a->groups, &b->groups, same_group);
    COMPARE(is_same, &a->owners, &b->owners, same_owner);
    COMPARE(is_same, &a->overrides, &b->overrides, same_override);
    COMPARE(is_same, &a->members, &b->members, same_member);
    COMPARE(is_same, &a->env, &b->env, same_variable);
    COMPARE(is_same, &a->packages, &b->packages, same_package);
    return is_same;
}
