/* SPDX-License-Identifier: Apache-2.0 */
/* fileset.h - the files of several packages under one root: look-up by canonical path, symlinks followed inside it
 *
 * A path in several packages: the first package by name gives it, unless another one's Replaces names that package
 * (then the other one gives it; versions in Replaces are not looked at). Whether the bytes differ is for the tree to
 * judge, when the path is kept. The order in which packages are handed over makes no difference.
 * A directory below /usr that the family's package of the layout ("filesystem") has as a link to a directory beside it, as Fedora since 42 has
 * /usr/sbin -> bin, is merged with it: what other packages list below the link is in the set with the path that it
 * really gets. The same holds for all links to directories of a base (ground_package.h), which is a package that comes first, and of
 * packages where another one lists that directory or something in it, as dpkg and rpm unpack through the link that is there.
 * Threads: built by one thread, then const.
 */
#ifndef IMGFACTORY_CLOSURE_FILESET_H
#define IMGFACTORY_CLOSURE_FILESET_H

#include "base/map.h"
#include "package/package.h"
#include "plan/family.h"

/* One file of one package, the unit that closure and tree work with. */
struct sourced {
    const struct package *package;
    const struct entry *entry;
    const struct entry *listed;    /* below a merged directory: as the package lists it; else NULL */
    const struct sourced *through; /* and the link that leads to where `entry` is; else NULL */
    struct sourced *shadowed;      /* the same path in a further package, or NULL; by package name */
};

struct sourced_list {
    const struct sourced **items;
    size_t count, capacity;
};

struct fileset {
    struct arena *arena;
    const struct family *family;           /* of the packages; NULL: of nobody's, where nothing is merged */
    const struct package *const *packages; /* sorted by name */
    size_t package_count;
    struct map by_path;        /* canonical path → struct sourced * */
    size_t packaged_count;     /* private: of its slots; what follows was added to the set later */
    struct sourced_list moved; /* private: what packages list below merged directories */
    struct map base_links;     /* private: path of a link to a directory that a base or a package has → what it is */
    struct map merged;         /* path of a merged directory → struct sourced * of the link */
    struct map *sought; /* set after building; NULL: nobody asks. Gets what was looked for in the set and is not there:
                           paths, and of fileset_list() folders with a '/' behind them */
    bool is_exact;      /* set after building: walks do not take /lib for /usr/lib, its files are a root as it is */
};

/* Builds the set of the packages of one family (may be NULL). They must outlive it. */
void fileset_build(struct arena *arena, const struct family *family, const struct package *const *packages,
                   size_t count, struct fileset *ret_set);
/* Settles which package's file of that canonical path is meant, when several ship it (a diversion, or a choice that was
 * made and reported): the others are left out of the set. Nothing happens when the package has no such file. */
void fileset_settle(struct fileset *set, const char *path, const char *package_name);
/* Returns where a path is that may lie below a merged directory, or be one: "/usr/sbin/x" is "/usr/bin/x" when a package
 * says so, else itself. Lives in the set's arena. */
const char *fileset_merged(const struct fileset *set, const char *path);
/* Returns whether a link of the base is there that leads to a directory: what packages list below it is in the set where that
 * leads, so that a directory that they list there is the link. */
bool fileset_leads_on(const struct fileset *set, const char *path);
/* Finds exactly this path; NULL when absent. */
const struct sourced *fileset_find(const struct fileset *set, const char *path);
/* Walks a path through symlinks of the set, in its components and at its end (at most 40, as the kernel): the file it
 * ends at, or NULL. ".." leaves the directory that was really reached, never the spelling. Every symlink walked is
 * added to `ret_links` (may be NULL) so that it can be kept. *ret_path (may be NULL) is the canonical path where the
 * walk ended, found or not. */
const struct sourced *fileset_walk(const struct fileset *set, struct arena *arena, const char *path,
                                   struct sourced_list *ret_links, const char **ret_path);
/* Notes that something is looked for that no path tells: a base name ("pam_unix.so"), or a folder with a '/' behind it. */
void fileset_seek(const struct fileset *set, const char *what);
/* Notes that all files of a package are looked for, as "=NAME". */
void fileset_seek_package(const struct fileset *set, const char *name);
/* Lists the files of the set whose canonical path begins with `prefix`, sorted by path. */
void fileset_list(const struct fileset *set, struct arena *arena, const char *prefix, struct sourced_list *ret_files);
/* Returns the entry that has the file's bytes: its own, or a hard link's target; NULL for what has none. */
const struct entry *sourced_content(const struct sourced *file);
/* Returns whether the package's Replaces field names the other package. */
bool package_replaces(const struct package *package, const struct package *other);

#endif
