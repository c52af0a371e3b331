/* SPDX-License-Identifier: Apache-2.0 */
/* family.h - what the distributions of one kind of package have in common: manifests/families/NAME.yaml
 *
 * Which package says what distribution it is, which accounts every system has, which packages describe a whole system,
 * what is documentation, what configures the host, and the skeleton of directories. manifests/README.md, "Families", describes every key.
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …" for what is wrong in a file), ERR_LOCAL.
 */
#ifndef IMGFACTORY_PLAN_FAMILY_H
#define IMGFACTORY_PLAN_FAMILY_H

#include "plan/manifest.h"

/* A package that lists the accounts of every system, and where. */
struct family_accounts {
    const char *package, *passwd, *group;
};

/* An account that every image has; its number is known to all. */
struct family_account {
    const char *comment, *home, *group; /* group: the name of nobody's; of root NULL: it is root */
};

/* A package with programs that scripts call although nothing depends on it. */
struct family_tools {
    const char *package;
    struct strings programs; /* names, "sbin/NAME" for what is not in /usr/bin */
};

/* A program that is a shell and its tools in one, linked statically: `shell: NAME` in a manifest. */
struct family_static_shell {
    const char *name, *program; /* NULL: the distributions have none; program: its path or a glob */
    struct strings packages;    /* that ship it; the first that exists counts */
};

struct family {
    const char *name;             /* the file's stem: "debian" */
    const char *kind;             /* of the packages: "deb", "rpm" */
    const char *identity_package; /* whose files tell scanners the distribution; for rpm also what a package provides */
    const char *identity_edition; /* of several, the one that provides a name that ends so; or NULL */
    struct strings identity_files;
    const char *layout; /* the package whose links merge directories below /usr, such as /usr/sbin -> bin; or NULL */
    struct {
        struct family_accounts *items;
        size_t count, capacity;
    } accounts;
    struct family_account root, nobody;
    struct strings whole_system;  /* packages that describe a whole booted system: their sysusers.d and tmpfiles.d are
                                     not applied, only looked into for names */
    struct strings documentation; /* directories that whole packages leave out */
    struct strings plugin_libraries; /* globs of libraries that a service's own plug-ins may bring (`automatic`) */
    struct strings dispensable;      /* globs: what `automatic` leaves out of directories that come as a whole */
    struct strings for_host; /* configuration of the machine, of no use to a service: `automatic` leaves it out */
    struct {
        struct family_tools *items;
        size_t count, capacity;
    } tools;
    struct family_static_shell static_shell;
    struct wishes skeleton;    /* `made`: what every image has, where nothing else is; `users`, `groups`: accounts that
                                     every system has, besides root and nobody */
    struct wishes for_service; /* `made`: what images have besides whose configuration is automatic */
};

struct families {
    struct family *items; /* sorted by name */
    size_t count, capacity;
    struct digest digest; /* of all files and their names */
};

/* Loads the families of the directories; a file takes the place of one of the same name in an earlier directory. The kind
 * is one of `formats`; two families of one kind are refused. */
bool families_load(struct arena *arena, const struct strings *dirs, const struct strings *formats,
                   struct families *ret_families, struct err *err) MUST_CHECK;
/* Finds the family of a kind of package. */
bool families_find(const struct families *families, const char *kind, const struct family **ret_family,
                   struct err *err) MUST_CHECK;

#endif
