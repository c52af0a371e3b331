/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.h - the users and groups of one image: names to numbers, and the lines of /etc/passwd and /etc/group
 *
 * What is in the image comes from the manifest, from sysusers.d of the packages that gave files, and, by name when an
 * owner needs it, from sysusers.d of the other packages and from the accounts that the distribution's own package
 * lists (setup's /etc/passwd and /etc/group, base-passwd's *.master). Numbers that a line leaves open are given as
 * systemd-sysusers gives them to an empty system with the manifest's accounts: groups first, from SYSUSERS_ID_MAX
 * downwards, uid equal to gid where that is free. So they depend on the packages' files only.
 * Threads: one.
 */
#ifndef IMGFACTORY_EFFECT_ACCOUNTS_H
#define IMGFACTORY_EFFECT_ACCOUNTS_H

#include "effect/sysusers.h"
#include "plan/family.h"

#define SYSUSERS_ID_MAX 999
#define SYSUSERS_ID_MIN 200 /* below are the numbers that distributions give out by hand */

struct account_user {
    const char *name, *comment, *home, *shell;
    uint32_t uid, gid;
};

struct account_group {
    const char *name;
    uint32_t gid;
    struct strings members;
};

struct accounts {
    struct arena *arena;
    struct strings *notes;
    LIST(struct account_user *) users;
    LIST(struct account_group *) groups;
    const struct accounts *known; /* where primary groups of users are looked up that no line declares, or NULL */
    bool has_asked;               /* and whether one was */
    const struct family_account *nobody; /* as the distribution has it; NULL: without */
    uint32_t next_id;                    /* the next lower one is tried next; 0: none was given yet */
};

/* Finds the owner of a file of the image, for ids that are a path; false when the file is not there. */
typedef bool accounts_stat(const void *tree, const char *path, uint32_t *ret_uid, uint32_t *ret_gid);

/* Find by name or by number; NULL when there is none. */
struct account_user *accounts_user(const struct accounts *accounts, const char *name);
struct account_group *accounts_group(const struct accounts *accounts, const char *name);
struct account_user *accounts_user_of_number(const struct accounts *accounts, uint32_t uid);
struct account_group *accounts_group_of_number(const struct accounts *accounts, uint32_t gid);
/* Adds what is not there yet; returns the one of that name. */
struct account_user *accounts_add_user(struct accounts *accounts, const struct account_user *user);
struct account_group *accounts_add_group(struct accounts *accounts, const char *name, uint32_t gid);
void accounts_add_member(struct accounts *accounts, struct account_group *group, const char *user);
/* Adds the user nobody, or the group nobody or nogroup (65534), which systemd and all distributions know by
 * themselves; false when the name is none of them. */
bool accounts_add_nobody(struct accounts *accounts, const char *name, bool is_user);
/* Adds nobody and its group, as the distribution has them, unless their names or numbers are taken. */
void accounts_complete(struct accounts *accounts);
/* Adds what these lines declare; names that are there keep their numbers. */
void accounts_apply(struct accounts *accounts, const struct sysusers *items, accounts_stat *stat, const void *tree);
/* Adds only what the lines say of one name (as a user, or as a group); false when they do not declare it. */
bool accounts_apply_name(struct accounts *accounts, const struct sysusers *items, const char *name, bool is_user,
                         accounts_stat *stat, const void *tree);
/* Reads passwd(5) and group(5) lines; those that are malformed are passed over. */
void accounts_read_passwd(struct accounts *accounts, struct text text);
void accounts_read_group(struct accounts *accounts, struct text text);

#endif
