/* SPDX-License-Identifier: Apache-2.0 */
/* tree_draft.h - the tree while it is put together: nodes by path, parents made as needed
 *
 * Private to tree*.c. Order of work: kept files, their parents, root links, the manifest's own entries, the skeleton,
 * accounts, changes of owners, tmpfiles.d, owners, users and groups, os-release, the package database. Times, hard links and the sorting
 * come last.
 * Threads: one.
 */
#ifndef IMGFACTORY_TREE_TREE_DRAFT_H
#define IMGFACTORY_TREE_TREE_DRAFT_H

#include "effect/accounts.h"
#include "tree/tree.h"

struct draft {
    struct node node;
    const struct sourced *file;   /* a package's, or NULL: node.mtime is then created_time */
    const struct entry *content;  /* of `file` when it has bytes */
    const struct wish_made *made; /* by the manifest, or NULL */
    const char *owner, *group;    /* of an .rpm's file: names that node.uid and node.gid are still to be made of */
};

/* A link of the skeleton that the image has, or the same by another giver: /var/run. */
struct skeleton_link {
    const char *path, *end; /* end: where it leads, canonical */
};

struct drafts {
    struct arena *arena;
    const struct tree_request *request;
    struct map by_path; /* path → struct draft * */
    struct strings notes;
    struct {
        struct skeleton_link *items;
        size_t count, capacity;
    } links;
    struct accounts accounts;         /* of the image: those of /etc/passwd and /etc/group */
    size_t base_users, base_groups;   /* how many of them are the base's: the first */
    struct text base_group;           /* its /etc/group */
    size_t plain_users, plain_groups; /* how many of them need no packages' sysusers.d */
    struct accounts known;            /* that the distribution lists: for owners that need them */
    struct sysusers declared;         /* by packages that gave no files: for owners that need them */
    bool wants_all;                   /* a name is unknown, and there are packages that were not looked into */
};

/* Makes a node as the package has it; `path` can be changed then. A hard link has its file's metadata: they are one inode. */
struct draft draft_of(const struct sourced *file, const char *why);
/* Says what kind of thing it is, for messages: "directory". */
const char *draft_kind_name(enum node_kind kind);
/* Puts a copy into the tree, in place of what is at its path, and returns it; its parents are the caller's to add. */
struct draft *drafts_put(struct drafts *drafts, const struct draft *draft);
/* Finds a node; NULL when absent. */
struct draft *drafts_find(const struct drafts *drafts, const char *path);
/* Adds a node that is ours, with its parents; the path must be free (else ERR_RESOLVE naming both sides).
 * `node->package` stays NULL. */
bool drafts_add(struct drafts *drafts, const struct node *node, struct draft **ret_draft, struct err *err) MUST_CHECK;
/* Makes sure that every parent is a directory: as the child's package has it, else as the skeleton or any package has
 * it, else 0755 root. */
bool drafts_add_parents(struct drafts *drafts, const struct draft *child, struct err *err) MUST_CHECK;
/* Finds what keeps a path from being made: the nearest node above it that is no directory; NULL when nothing does. */
const struct draft *drafts_obstacle(const struct drafts *drafts, const char *path);
/* Decides which of the skeleton's links the image has, before anything is put into the tree. */
void drafts_plan_skeleton(struct drafts *drafts);
/* Returns where a path really gets: what lies below a link of the skeleton ("/var/run/x") is where the link leads
 * ("/run/x"), as it is on an installed system; else the path itself. In the arena. */
const char *drafts_place(const struct drafts *drafts, const char *path);
/* Returns where the link of the skeleton that has this very path leads; NULL when it is none. */
const char *drafts_link_end(const struct drafts *drafts, const char *path);
/* The other way round: how a package may list the path through link `i` of `links`; NULL: not at all. */
const char *drafts_listed_at(const struct drafts *drafts, const char *path, size_t i);
/* Finds a directory of the skeleton; NULL when the path is none. */
const struct wish_made *drafts_skeleton_directory(const struct drafts *drafts, const char *path);
/* Makes a node as the skeleton has it. */
struct node skeleton_node(const struct wish_made *made);
/* Says who gave a node, for messages: "package nginx", "the manifest", "imgfactory itself". */
const char *draft_giver(struct arena *arena, const struct draft *draft);
/* Sets ERR_USAGE with the place of a manifest's own entry. Always returns false. */
bool made_fail(const struct drafts *drafts, const struct wish_made *made, struct err *err, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Adds what the manifest creates. */
bool drafts_add_made(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds the accounts that the manifest has, root's first; checks them. */
bool drafts_add_manifest_accounts(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Returns whether a package describes a whole booted system (accounts of every service, directories of every purpose):
 * its sysusers.d and tmpfiles.d are not applied, only looked into for names. */
bool drafts_describe_system(const struct drafts *drafts, const struct package *package);
/* Collects the accounts of the image: the manifest's, and those that the packages which gave files declare. */
bool drafts_collect_accounts(struct drafts *drafts, const struct tree *tree, struct err *err) MUST_CHECK;
/* Finds the number of a user or group by name, or decimal; the account then is one of the image. False when nothing
 * declares it. */
bool drafts_user_number(struct drafts *drafts, const char *name, uint32_t *ret_number) MUST_CHECK;
bool drafts_group_number(struct drafts *drafts, const char *name, uint32_t *ret_number) MUST_CHECK;
/* Makes numbers of all owners' names; an unknown one becomes root, with a note, as rpm does. */
void drafts_number_owners(struct drafts *drafts);
/* Adds /etc/passwd and /etc/group. Those of packages or the manifest stay, unless there are accounts that they lack. */
bool drafts_add_users(struct drafts *drafts, struct err *err) MUST_CHECK;
/* The same on a base: its files with further lines, its shadow files too where it has them. */
bool drafts_continue_users(struct drafts *drafts, const struct tree *tree, struct err *err) MUST_CHECK;
/* Reads the base's accounts. */
bool drafts_read_base_accounts(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds what tmpfiles.d of these packages makes at boot. */
bool drafts_add_tmpfiles(struct drafts *drafts, const struct tree *tree, struct err *err) MUST_CHECK;
/* Finds the number of an owner or group: "root", a name of the manifest, or decimal; false when there is none. */
bool wish_owner_number(const struct wishes *wishes, const char *name, uint32_t *ret_number) MUST_CHECK;
bool wish_group_number(const struct wishes *wishes, const char *name, uint32_t *ret_number) MUST_CHECK;
/* Returns whether a name is an automatic user's or group's, whose number is known when all other accounts are. */
bool wish_is_automatic(const struct wishes *wishes, const char *name, bool is_user);
/* Adds the automatic accounts and memberships, and, where they are asked for, all that the distribution has by itself. */
void drafts_add_automatic_accounts(struct drafts *drafts);
/* Makes whom the image runs as an account of it; whether it is one at all is for others to say. */
void drafts_want_run_user(struct drafts *drafts);
/* Changes owners and modes as scripts would have, of what neither manifest nor recipe made. */
void drafts_change_owners(struct drafts *drafts);
/* Takes an account over that the distribution has by itself, a user with the group that is its first one; false when it has
 * none of that name. */
bool drafts_take_known(struct drafts *drafts, const char *name, bool is_user);
/* Adds /etc/ld.so.cache when the closure needs it and nothing gives it. */
bool drafts_add_cache(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds /usr/lib/os-release and its link when nothing gives it. */
bool drafts_add_os_release(struct drafts *drafts, struct err *err) MUST_CHECK;
/* Adds the package database of the packages that gave files, as their format has it. */
bool drafts_add_database(struct drafts *drafts, const struct tree *tree, struct err *err) MUST_CHECK;

#endif
