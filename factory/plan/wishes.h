/* SPDX-License-Identifier: Apache-2.0 */
/* wishes.h - what somebody wants to be in an image: the manifest, a feature, a recipe, PAM, …, each item with its giver
 *
 * The request (manifest.h) stays as it was loaded. Whoever wants more for the image returns wishes of its own, and they
 * are put together into new ones; nothing is written into a list that somebody else may have.
 * Threads: pure functions of their inputs; wishes are const once returned.
 * Owns: nothing; lists live in the arena given, strings where they come from.
 */
#ifndef IMGFACTORY_PLAN_WISHES_H
#define IMGFACTORY_PLAN_WISHES_H

#include "plan/yaml.h"

/* Of every item: `giver` says for the report whose it is ("the recipe chrony"); NULL: the manifest's. */

/* A file or glob taken from packages. Globs: '*' and '?' within a component, '**' over components, [a-z] sets. */
struct wish_file {
    const char *path;
    struct strings packages; /* only from one of these, when given */
    struct strings except;   /* of a glob: canonical paths, and globs of such, that are left out */
    bool is_optional;        /* nothing matching is fine */
    bool is_lenient;         /* an ELF file of it that cannot be loaded is left out, with a note */
    const char *giver;
};

/* A directory, small file or symlink that is created, or a copy of a packaged file at another path. What is automatic
 * (of a script or a unit) gives way where something else than it wants is in its place, which the manifest's own never
 * does, and its owners can be any account that the packages or the distribution know. */
enum wish_made_kind { MADE_DIRECTORY, MADE_FILE, MADE_SYMLINK, MADE_COPY };
struct wish_made {
    enum wish_made_kind kind;
    const char *path;          /* absolute, no "..", no trailing slash */
    uint32_t mode;             /* default 0755 for directories, 0644 for files */
    const char *owner, *group; /* names of `users` and `groups`, "root", or decimal; default "root" */
    const char *content;       /* MADE_FILE: text; NULL: empty */
    size_t content_bytes;      /* of content, which may have NULs then; 0: as far as its NUL */
    const char *from;          /* the file beside the manifest that content is of, as written; NULL: none */
    const char *target;        /* MADE_SYMLINK */
    const char *source;        /* MADE_COPY: path of a file of the package set, through its links */
    bool keeps_mode;           /* MADE_COPY: the source's, instead of `mode` */
    bool is_automatic;
    bool yields_to_tmpfiles; /* MADE_DIRECTORY: owners and mode of tmpfiles.d hold, as at each boot */
    const char *giver;
    const char *why;              /* the whole sentence for the report; NULL: "created by GIVER" */
    const struct yaml_node *node; /* for messages */
};

/* A change of owner, group or mode of what packages have in the tree; of several the last holds. What is made there is as its
 * wish says, and what is not in the tree is passed over. */
struct wish_owner {
    const char *path;
    const char *owner, *group; /* NULL: as it is */
    /* The mode loses some bits, then gets some; `mode_search` only for directories and what somebody may execute. */
    uint32_t mode_lost, mode_set, mode_search;
    bool is_deep; /* all below, too */
    uint64_t
        capabilities; /* of a program: permitted and effective when it is started (capabilities(7)); 0: as it has */
    const char *giver;
};

/* What dpkg is to remember of a path in its list of overrides (dpkg-statoverride(1)), where its database is continued; what is
 * done to the path itself is a wish of its own. */
struct wish_override {
    const char *path, *owner, *group; /* names, or "#NUMBER" */
    uint32_t mode;
    const char *giver;
};

/* A user's membership of a group, of which both can be any account that is known. */
struct wish_member {
    const char *user, *group;
    const char *giver;
};

/* The number of an automatic user or group that gets the first free one from 100. */
#define WISH_NUMBER_FREE UINT64_MAX

struct wish_user {
    const char *name, *comment, *home, *shell; /* defaults: "", "/nonexistent", "/usr/sbin/nologin" */
    uint64_t uid;
    /* Primary: a name of `groups`, "root" or decimal. Never NULL: without the key it is the user's own name, and a
     * group of that name and number was added to `groups` unless there was one of that name. */
    const char *group;
    struct strings groups; /* further memberships */
    bool
        is_automatic; /* its number, where it is taken, is another; its group any that is known; other wishes, sysusers.d
                              and the distribution's own account of its name win */
    const char *giver;
};

struct wish_group {
    const char *name;
    uint64_t gid;
    bool is_automatic; /* as a user's */
    const char *giver;
};

/* A variable of the image's configuration. */
struct wish_variable {
    const char *name, *value;
    const char *giver;
};

/* A package that is to come along as a whole. */
struct wish_package {
    const char *name; /* until something is selected: what was written, in any spelling of the package manager */
    const char *word; /* then what was written, where it is not the name; else NULL */
    bool is_lenient;  /* of its files that nobody names, those that cannot be loaded are left out; else they stay */
    const char *giver;
};

struct wishes {
    struct {
        struct wish_file *items;
        size_t count, capacity;
    } files;
    struct {
        struct wish_made *items;
        size_t count, capacity;
    } made;
    struct {
        struct wish_user *items;
        size_t count, capacity;
    } users;
    struct {
        struct wish_group *items;
        size_t count, capacity;
    } groups;
    struct {
        struct wish_owner *items;
        size_t count, capacity;
    } owners;
    struct {
        struct wish_override *items;
        size_t count, capacity;
    } overrides;
    struct {
        struct wish_member *items;
        size_t count, capacity;
    } members;
    struct {
        struct wish_variable *items;
        size_t count, capacity;
    } env;
    struct {
        struct wish_package *items;
        size_t count, capacity;
    } packages;
    bool follows_pam; /* modules that the shipped service files of /etc/pam.d name are wanted, too */
};

/* Returns all of `a`, and then of `b` what `a` leaves room for: `a` wins wherever both say something of a path, a user, a
 * group, a variable or a package. A user or group whose number is taken gets the first free one from 100 (an automatic one in
 * the tree). `b`'s changes of owners at paths that `a` makes are left out, unless they are of all below, too. */
struct wishes wishes_merge(struct arena *arena, const struct wishes *a, const struct wishes *b);
/* Returns all of `a` and all of `b`, which was made to fit beside it. */
struct wishes wishes_join(struct arena *arena, const struct wishes *a, const struct wishes *b);
/* Returns the wishes without the packages of these names. */
struct wishes wishes_without(struct arena *arena, const struct wishes *wishes, const struct strings *packages);
/* Returns the bytes of a MADE_FILE. */
struct text wish_content(const struct wish_made *made);
/* Returns whether two say the same, in the same order; givers are not looked at. */
bool wishes_same(const struct wishes *a, const struct wishes *b);
/* Says in every item of the wishes, which are the caller's own, whose it is. */
void wishes_sign(struct wishes *wishes, const char *giver);
/* Finds what is made at a path; NULL when nothing is. */
const struct wish_made *wishes_made(const struct wishes *wishes, const char *path);
/* Returns whether a user of that name is wanted. */
bool wishes_has_user(const struct wishes *wishes, const char *name);
/* Finds the wish for a whole package; NULL when there is none. */
const struct wish_package *wishes_package(const struct wishes *wishes, const char *name);
/* Says who an item is of, for messages: its giver, or "the manifest". */
const char *wish_giver(const char *giver);

#endif
