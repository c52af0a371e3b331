/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_source.h - a source of RPM packages: dnf's configuration of the host (yum_repos.h), or a source file of kind "rpm"
 *
 * Source files: manifests/README.md, "Sources".
 * Threads: made by main before other threads start, then const for all.
 * Fails with: ERR_USAGE with a place.
 */
#ifndef IMGFACTORY_RPMMD_RPM_SOURCE_H
#define IMGFACTORY_RPMMD_RPM_SOURCE_H

#include "base/map.h"
#include "io/http.h"
#include "plan/yaml.h"
#include "source/source.h"

#define RPM_COST_DEFAULT 1000

/* One RPM-MD repository (a section of a .repo file, dnf.conf(5)). Variables are replaced, except those that depend on
 * the architecture ($basearch, $arch). */
struct rpm_repository {
    const char *id, *name;             /* "fedora"; for messages */
    struct strings base_urls;          /* mirrors, first choice first */
    const char *metalink, *mirrorlist; /* or NULL */
    struct strings gpg_keys;           /* paths and URLs of public keys */
    bool is_gpg_checked;               /* gpgcheck: every package must be signed by one of the keys */
    bool is_repo_gpg_checked;          /* repo_gpgcheck: repomd.xml must be signed by one of the keys */
    int priority;                      /* lower first; default 99 */
    int cost;                          /* of repositories with the same package the cheapest gives it; default 1000 */
    struct strings exclude_pkgs;       /* excludepkgs: names, globs, NAME-VERSION-RELEASE.ARCH */
    struct strings include_pkgs;       /* includepkgs, likewise; empty: all */
    bool has_module_hotfixes;          /* module_hotfixes */
    bool is_optional;                  /* skip_if_unavailable */
    const char *snapshot;              /* pattern of the URLs that its former states are below (pins.h), or NULL */
    uint64_t max_age_days;             /* an older repomd.xml is refused; 0: none is for its age */
    const struct http_access *access; /* certificates, user and proxy of its transfers; NULL: the environment's alone */
    const char *place;                /* "FILE:LINE" */
};

/* One condition of a lock: what an epoch, version or architecture has to be. */
enum rpm_lock_key { RPM_LOCK_EPOCH, RPM_LOCK_EVR, RPM_LOCK_ARCH };
struct rpm_lock_condition {
    enum rpm_lock_key key;
    bool is_less_fine, is_equal_fine, is_greater_fine;
    const char *value;
};

/* An entry of the versionlock plugin's list. */
struct rpm_lock {
    const char *pattern; /* dnf 4: a package in any form, of which only what matches counts; dnf5: a glob of names */
    bool is_excluding;   /* dnf 4, "!PATTERN": what matches does not count */
    bool is_of_dnf5;     /* then only what meets all conditions counts; of several entries of a name any will do */
    LIST(struct rpm_lock_condition) conditions;
};

struct rpm_source {
    LIST(struct rpm_repository) repositories;
    struct strings modules;          /* enabled module streams, "NAME:STREAM" */
    struct strings disabled_modules; /* names of modules of which nothing counts */
    struct strings exclude_pkgs;     /* excludepkgs and … */
    struct strings include_pkgs;     /* … includepkgs of [main], for all repositories */
    LIST(struct rpm_lock) locks;     /* of the versionlock plugin */
    bool is_older_fine;              /* best=0: of what is asked for another version than the best will do */
};

/* What a source of the format holds. */
static inline const struct rpm_source *rpm_source_of(const struct source *source)
{
    return source->configured;
}
/* Reads a mapping whose "kind" is rpm. */
bool rpm_source_load_node(struct arena *arena, const struct yaml_node *node, struct rpm_source *ret_source,
                          struct err *err) MUST_CHECK;
/* Returns the table of a source file's keys. */
const struct yaml_field *rpm_source_keys(size_t *ret_count);
/* Sets $releasever, $releasever_major and $releasever_minor. */
void rpm_set_releasever(struct map *variables, const char *releasever);
/* Replaces the variables of all values of a repository but $basearch and $arch, and checks it: where it is, by schemes
 * that are known; keys when signatures are checked. */
bool rpm_repository_finish(struct arena *arena, const struct map *variables, struct rpm_repository *repository,
                           struct err *err) MUST_CHECK;

#endif
