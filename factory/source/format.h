/* SPDX-License-Identifier: Apache-2.0 */
/* format.h - what a package format does, as one table of functions per format
 *
 * Nothing outside the format's own rooms asks which format it is: sources, packages and catalogs carry a pointer to their
 * table. The instances are listed in formats/formats.c; so a further format is one room and one line there. Data say the
 * rest: its names of the architectures in arches/, its family in manifests/families/.
 * Threads: const for all; each function says in the header of its type what threads may call it.
 */
#ifndef IMGFACTORY_SOURCE_FORMAT_H
#define IMGFACTORY_SOURCE_FORMAT_H

#include "base/text.h"
#include "source/configuration.h"

struct advisories;
struct advisory_request;
struct arch_key;
struct catalog;
struct catalog_request;
struct changelog;
struct changelog_request;
struct continued;
struct continuing;
struct database_files;
struct database_request;
struct entry;
struct err;
struct freshness_rule;
struct ground;
struct installed;
struct installed_package;
struct package;
struct package_expect;
struct record;
struct source;
struct source_env;
struct store;
struct strings;
struct unpack_limits;
struct yaml_field;
struct yaml_node;

/* How its packages are written as package URLs (purl-spec, types/), of which the type is the format's name. */
struct purl_rules {
    bool is_epoch_apart;     /* the epoch is a qualifier; else it stands in the version */
    const char *source_arch; /* what source packages have as architecture: "source" */
    /* A source package is told by its file's name, which ends like this; NULL: by name and version. */
    const char *source_ending;
};

/* Every entry is set, unless its comment says otherwise. */
struct format {
    const char *name; /* "deb", "rpm": `kind` of a source file, `when` of a recipe */

    /* The keys that it knows in arches/ (plan/arch.h); under the first is the architecture's name among its packages. No
     * other format's key is among them. A key that came later has an `otherwise`, so that users' own files stay good. */
    const struct arch_key *arch_keys;
    /* Tells whether the host has a configuration of the format's; `root` plays the host, "" for itself. */
    bool (*host_has)(const char *root, bool *ret_has, struct err *err);
    /* Says where that would be, as it stands in "this host has neither … nor …": "dnf's (/etc/yum.repos.d/…)". */
    const char *(*host_place)(struct arena *arena, const char *root);
    /* Reads it. */
    bool (*load_host)(struct arena *arena, const char *root, struct source *ret_source, struct err *err);
    /* Reads a source file's mapping. */
    bool (*load_node)(struct arena *arena, const struct yaml_node *node, const char *root, struct source *ret_source,
                      struct err *err);
    /* Returns the table of that mapping's keys. */
    const struct yaml_field *(*source_keys)(size_t *ret_count);
    /* Keeps the source's main repository with these suites; ERR_USAGE where repositories have none. */
    bool (*replace_suites)(struct arena *arena, struct source *source, const char *suites, struct err *err);
    /* How old the metadata of what kind of repository may get (freshness.h). */
    const struct freshness_rule *freshness;
    /* Lists the files of this machine that are read when catalogs are opened, and folders of such: keyrings. */
    void (*list_files)(struct arena *arena, const struct source *source, struct strings *ret_paths);
    /* Gets what the catalogs of all architectures share (Debian's Releases); NULL for nothing. Blocks on the network.
     * Results live in the arena. */
    bool (*share)(const struct source_env *env, struct arena *arena, const struct source *source, void **ret_shared,
                  struct err *err);
    /* Opens the catalog of one architecture (catalog.h), to be prepared. Blocks on the network. */
    bool (*open_catalog)(const struct catalog_request *request, struct catalog **ret_catalog, struct err *err);

    /* Unpacks the bytes of one package into the store, as package.h tells. */
    bool (*unpack)(struct store *store, struct text bytes, const struct package_expect *expect,
                   const struct unpack_limits *limits, struct err *err);
    /* Reads what a package manager keeps of the package besides, out of its bytes, as record.h tells; all of it lives in the
     * arena. NULL: not known of this format yet. */
    bool (*record)(struct arena *arena, struct text bytes, const struct unpack_limits *limits,
                   struct record *ret_record, struct err *err);
    const char *file_ending; /* of its packages' files: ".deb" */
    struct purl_rules purl;
    /* Compares two versions of packages: below 0 when `a` is the older one. */
    int (*compare_versions)(const char *a, const char *b);
    /* Reads what a package's changelog says beyond an older version (package/changelog.h); *ret_found is false when the store
     * does not have the package. Does its computing itself. */
    bool (*changelog)(struct arena *arena, const struct changelog_request *request, struct changelog *ret_changelog,
                      bool *ret_found, struct err *err);
    /* Finds a repository's advisories of packages (package/advisory.h). NULL: its repositories have none. May block on the
     * network. */
    bool (*advisories)(struct arena *arena, const struct advisory_request *request, struct advisories *ret_advisories,
                       struct err *err);
    /* Returns what a package says of its licences: an SPDX expression, or, of RPMs, whatever the packager wrote; NULL: nothing that
     * a machine can read. Lives in the arena. */
    const char *(*license)(struct arena *arena, const struct package *package);
    /* Returns what facts an opened package must have and has not ("an RPM package without version"), or NULL. */
    const char *(*package_fault)(const struct package *package);
    /* Where a package says its name, for messages: "control file". */
    const char *identity_place;
    /* Names of the scripts that installing runs, in its order; NULL ends the list. */
    const char *const *install_scripts;
    /* The first argument of each, when the package is not installed yet; all others are empty. */
    const char *const *install_arguments;
    bool lists_older; /* its indices list versions that are not the newest: a request may have limits (solve.h) */
    bool
        is_release_free; /* a version that is written without release stands for all releases of it, as in dependencies */
    /* Returns which rule the package manager has for a file that somebody may have changed. */
    enum configuration (*configuration)(const struct entry *entry);
    bool marks_documentation; /* its packages tell which of their files are documentation */
    bool
        sets_rights; /* installing gives files that are there already, and directories, the package's mode, owner and time */
    /* Prints the package database of an image (database.h). */
    bool (*database)(struct arena *arena, const struct database_request *request, struct database_files *ret_files,
                     struct err *err);
    /* Lists what the distributions' policy calls the package of a library, the likeliest first, for when no index of paths can be
     * asked. NULL: they have no such rule. */
    void (*library_packages)(struct arena *arena, const char *soname, struct strings *names);
    const char *alternatives_dir;  /* of update-alternatives' database */
    const char *configure_command; /* what does in an image what scripts have left to do */
    /* Reads the package database of a base (ground/installed.h); *ret_found is false when it has none of this format. NULL, as
     * configure_command and the next two: not known of this format yet. */
    bool (*installed_read)(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                           bool *ret_found, struct err *err);
    /* Reads a list of packages that takes the place of a database in images that nobody continues: no file's owner is told, and
     * only `packages` is set. NULL: the format has no such list. */
    bool (*listed_read)(struct arena *arena, const struct ground *ground, struct installed *ret_installed,
                        bool *ret_found, struct err *err);
    /* Returns what is said of the licences of an installed package, as `license` does. */
    const char *(*installed_license)(struct arena *arena, const struct ground *ground,
                                     const struct installed_package *package);
    /* Returns the base's package that has what is at an exact path, and is no directory, of several one that is not among
     * those that are replaced; NULL when none has it. */
    const char *(*installed_owner)(const struct installed *installed, const char *path, const struct strings *replaced);
    /* Continues the database for packages that come on top. */
    bool (*installed_continue)(struct arena *arena, const struct continuing *continuing,
                               struct continued *ret_continued, struct err *err);
};

#endif
