/* SPDX-License-Identifier: Apache-2.0 */
/* solve.h - libsolv: names to a selection, with the choices of the format's own package manager (apt, dnf)
 *
 * How a format does it stands in its files: deb/deb_pool.h (a Pool for each request, of what that can reach),
 * deb/deb_greedy.h (alternatives as apt takes them); rpmmd/rpm_solve.c (dnf's jobs, on the one Pool of the catalog).
 * Threads: any worker; nothing of libsolv leaves the call.
 * Fails with: ERR_RESOLVE, with libsolv's own words, a line per problem (at most 20).
 */
#ifndef IMGFACTORY_SOURCE_SOLVE_H
#define IMGFACTORY_SOURCE_SOLVE_H

#include "source/catalog.h"

/* One chosen package. All strings live in the caller's arena. */
struct selected {
    const char *name, *version, *architecture;   /* version with epoch; architecture as in the index ("arm64", "all") */
    const char *source_package, *source_version; /* from Source:, default name and version */
    const char *section;                         /* "libs", or NULL */
    const char *url_path;                        /* Filename: relative to the repository's URI */
    const struct origin *origin;                 /* the repository it comes from */
    uint64_t size_bytes;
    const char *candidate_version; /* a better version, that was not chosen; NULL when this is the candidate */
    struct digest digest;          /* SHA-256 of the package's file; zeros when the index has only a SHA-512 */
    const struct checksum *sha512; /* instead, or NULL */
    bool is_likely; /* reached from a requested package through requested packages, packages of the same source and
                       libraries only; of RPM sources also what configures the loader's directories */
    const struct origin
        *other_origin;            /* a repository of another maker that has the package, too (maker_is_another()) … */
    const char *other_version;    /* … and the version there; NULL: none has */
    const char *replaces_version; /* of the base's package that it takes the place of; NULL: that has none */
    struct strings stands_for;    /* words of the request for which it was chosen and that are not its name */
};

struct selection {
    struct selected *items; /* sorted by name */
    size_t count;
};

/* Finds a package by its name; NULL when it is not selected. */
const struct selected *selection_find(const struct selection *selection, const char *name);
/* Returns whether the package was chosen for a word of the request: it is its name, or one that it stands for. */
bool selected_is_for(const struct selected *selected, const char *word);

/* A package that must not be newer than a version. */
struct solve_limit {
    const char *name, *version;
};

struct solve_limits {
    struct solve_limit *items;
    size_t count, capacity;
};

struct solve_request {
    struct strings names; /* packages to install, in every spelling that the format's package manager takes */
    /* What a base image has already (installed.h), empty without one. A selection then holds what comes in addition, and what
     * takes the place of an installed package because something needs that, or because it is one of `names`; no installed
     * package is removed, or replaced by an older one: ERR_RESOLVE. */
    struct text installed;
    struct strings never;       /* packages that must not be chosen */
    struct solve_limits limits; /* of formats whose indices list older versions (format.h) alone */
    bool is_older_fine; /* when a candidate cannot be installed, another version may be; else that is an error */
    bool is_weak;       /* RPM sources: follow weak dependencies (Recommends, Supplements) too, as dnf does unless told
                             otherwise; Debian sources never follow Recommends */
};

/* Solves. */
bool solve_packages(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                    struct selection *ret_selection, struct err *err) MUST_CHECK;
/* Finds the package whose files tell which distribution this is, as the catalog's family names it (os-release: Debian's
 * base-files, what provides system-release on Fedora), without its dependencies; *ret_found false when there is none.
 * Where there are several (Fedora's editions), the one of `selection` (may be NULL) is taken; *ret_selected may point
 * into it. */
bool solve_identity(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                    struct selected *ret_selected, bool *ret_found, struct err *err) MUST_CHECK;

#endif
