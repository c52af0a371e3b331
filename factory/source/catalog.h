/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - all package indices of one source for one architecture: what packages there are, and who ships a path
 *
 * What deb_catalog.h and rpm_catalog.h make; everything behind the source layer sees only this.
 * Threads: catalog_owners(), catalog_siblings() and catalog_locate() block and are called on coordinating threads
 * (they hand their computing to the workers); an open catalog may be used by all threads.
 * Owns: the indices, until catalog_close().
 * Fails with: as release.h and rpm_metadata.h; ERR_RESOLVE when no repository offers the architecture.
 */
#ifndef IMGFACTORY_SOURCE_CATALOG_H
#define IMGFACTORY_SOURCE_CATALOG_H

#include "base/workers.h"
#include "plan/arch.h"
#include "plan/family.h"
#include "source/origin.h"

/* Whether a package ships a service: a systemd unit (.service, .socket) or an init script. */
enum sibling_service { SIBLING_UNKNOWN, SIBLING_HAS_NONE, SIBLING_HAS_SERVICE };

/* A package that is built of the same source package as another, the given one. */
struct sibling {
    const char *name;
    bool is_given;              /* it is the given one itself */
    bool is_dependent;          /* it depends on the given one */
    bool is_needed;             /* the given one depends on it */
    bool is_recommended;        /* the given one recommends it */
    bool is_for_all;            /* it is the same for all architectures */
    enum sibling_service holds; /* unknown: no index of paths tells */
    struct strings services;    /* absolute canonical paths ("/usr/lib/systemd/system/x.service"), at most 1,000 */
};

struct siblings {
    struct sibling *items;
    size_t count, capacity;
};

/* What is looked for by its base name. */
enum located_kind {
    LOCATED_PROGRAMS, /* in directories of PATH; where these have none, where packages have programs for themselves: in
                         * /usr/libexec, directories of /usr/lib, "bin" below it and /opt; they may be no programs */
    LOCATED_SERVICES, /* systemd units for the system, init scripts */
};

/* A path of that base name. */
struct location {
    const char *path;        /* absolute and canonical: "/usr/sbin/nsd" */
    struct strings packages; /* that ship it and are offered, sorted; at most 1,000 */
    bool is_in_path;         /* its directory is one of PATH's */
    size_t rank;             /* private */
};

struct locations {
    struct location *items;
    size_t count, capacity;
};

/* What an index says of a package; of the version that would be installed. */
struct catalog_package {
    const char *version, *architecture, *source;
    const char *description;   /* its first line; NULL: the index has none */
    struct strings depends;    /* names of packages that it depends on directly, real ones, each once */
    struct strings recommends; /* the same of those that it recommends */
};

/* The way of a package from one version to a newer one. */
struct catalog_update {
    const char *package, *before, *after;
    bool is_security;
};

/* Is told of one path, absolute and canonical, and a package that ships it; both are borrowed. Returns false when it wants
 * no more. Called on a worker. */
typedef bool catalog_take_path(void *taker, struct text path, struct text package);

/* Is told of one package's name, which is borrowed. */
typedef void catalog_take_name(void *taker, struct text name);

/* Going through all that packages ship. */
struct catalog_scan {
    const char *package; /* only what this one ships; NULL: everything */
    catalog_take_path *take;
    void *taker;
};

struct selected;
struct selection;
struct solve_request;
struct source_env;
struct catalog;

/* What a kind of source does; for the functions below and those of solve.h, which tell what each means. */
struct catalog_kind {
    bool (*prepare)(struct catalog *catalog, struct err *err);
    bool (*accept)(struct catalog *catalog, struct err *err); /* NULL: done when it is opened */
    bool (*owners)(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                   const char **ret_hint, struct err *err);
    bool (*has)(const struct catalog *catalog, const char *name, bool is_virtual_fine);
    bool (*siblings)(struct catalog *catalog, struct arena *arena, const char *package, struct siblings *ret_siblings,
                     struct err *err);
    bool (*locate)(struct catalog *catalog, struct arena *arena, const char *base, enum located_kind kind,
                   struct locations *ret_locations, struct err *err);
    bool (*scan)(struct catalog *catalog, const struct catalog_scan *scan, struct err *err);
    bool (*describe)(const struct catalog *catalog, struct arena *arena, const char *package,
                     struct catalog_package *ret_package, bool *ret_found, struct err *err);
    bool (*solve)(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                  struct selection *ret_selection, struct err *err);
    bool (*identity)(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                     struct selected *ret_selected, bool *ret_found, struct err *err);
    bool (*paths_ready)(struct catalog *catalog, uint64_t worth_bytes, bool *ret_are_ready, struct err *err);
    bool (*tells)(const struct catalog *catalog, const struct selected *selected);
    void (*shippers)(const struct catalog *catalog, struct arena *arena, const char *sought, struct strings *names);
    void (*names)(const struct catalog *catalog, catalog_take_name *take, void *taker); /* NULL: in tests */
    bool (*lists)(const struct catalog *catalog, const struct pin_package *package);    /* NULL: in tests */
    bool (*mark_security)(struct catalog *catalog, struct catalog_update *updates, size_t count,
                          struct err *err);      /* NULL: its metadata have no advisories */
    void (*rest)(const struct catalog *catalog); /* NULL: nothing of it is in mapped files */
    void (*close)(struct catalog *catalog);
};

/* What the format of a source opens a catalog with; all of it outlives the catalog. */
struct catalog_request {
    const struct source_env *env;
    struct workers *workers;
    const struct source *source;
    const void *shared; /* by the format's share() */
    const struct arch *arch;
};

/* The common part of a catalog, first in the struct of its kind. */
struct catalog {
    const struct catalog_kind *kind;
    const struct arch *arch;
    const struct family *family; /* of its packages' kind; set by who prepares the catalog. NULL: without an identity */
    struct origins origins;
    struct digest digest; /* over the indices of packages and of paths, in order: names the input of a selection */
};

/* Opens the indices, once; other callers wait. Until then arch, origins and digest are all that there is: whoever finds
 * a finished product by them needs no more. Comes before all functions below. Blocks. */
bool catalog_prepare(struct catalog *catalog, struct err *err) MUST_CHECK;
/* Remembers the metadata as accepted, once all was there that somebody wanted of them: from then on older ones are refused, while
 * before another mirror's older ones may be the only ones that are whole. */
bool catalog_accept(struct catalog *catalog, struct err *err) MUST_CHECK;
/* Finds the packages that ship an absolute path ('/bin/x' and '/usr/bin/x' are one), sorted by name, each once. Loads
 * the file indices at the first call (once, other callers wait). None: ret_names is empty and *ret_hint (may be NULL)
 * names where a file of that name is ("/usr/sbin/dhcpd is in isc-dhcp-server"), if any. Packages that no index of the
 * catalog offers are left out. No file index in any repository: ERR_RESOLVE that tells about `packages: first`. */
bool catalog_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                    const char **ret_hint, struct err *err) MUST_CHECK;
/* Returns whether a package of that name (or, with is_virtual_fine, a provider) exists. */
bool catalog_has(const struct catalog *catalog, const char *name, bool is_virtual_fine);
/* Finds the packages of the same source package as `package`, itself among them, sorted by name; of each name the version
 * that would be installed counts. What they ship is told by the file indices, which are loaded for that (of Debian that
 * of packages for all architectures only when no other tells of a service); when these are absent or cannot be had, it
 * is unknown, which is no error. Nothing of that name: ERR_RESOLVE. */
bool catalog_siblings(struct catalog *catalog, struct arena *arena, const char *package, struct siblings *ret_siblings,
                      struct err *err) MUST_CHECK;
/* Finds the paths of a base name ("nsd", "nsd.service") that programs or services have, with the packages that ship them:
 * those of PATH first, in its order. Of Debian's indices that of packages for all architectures counts only when the other
 * has none. No index of paths: ERR_RESOLVE, as catalog_owners(). */
bool catalog_locate(struct catalog *catalog, struct arena *arena, const char *base, enum located_kind kind,
                    struct locations *ret_locations, struct err *err) MUST_CHECK;
/* Goes through the file indices from end to end, which takes seconds: every file and link of every package that would be
 * installed (Debian's indices may have others, too). No index of paths: ERR_RESOLVE. Blocks. */
bool catalog_scan(struct catalog *catalog, const struct catalog_scan *scan, struct err *err) MUST_CHECK;
/* Tells of a package; *ret_found false when there is none of that name. */
bool catalog_describe(const struct catalog *catalog, struct arena *arena, const char *package,
                      struct catalog_package *ret_package, bool *ret_found, struct err *err) MUST_CHECK;
/* Gets the file indices ready for the next two functions, when that is worth it: they are loaded or in the store, or fetching
 * them costs at most so many bytes. That they cannot be had, or that the kind of source has none, is no error:
 * *ret_are_ready is false then, and the next two must not be called. Blocks. */
bool catalog_paths_ready(struct catalog *catalog, uint64_t worth_bytes, bool *ret_are_ready,
                         struct err *err) MUST_CHECK;
/* Returns whether the file indices that are ready tell of all that a package has in the directories of programs and
 * libraries. */
bool catalog_tells(const struct catalog *catalog, const struct selected *selected);
/* Adds the names of the packages that the file indices that are ready name, those that are not there yet: for an absolute
 * canonical path in the directories of programs and libraries, for a base name in any of these, or for a folder with a '/'
 * behind it (contents.h has which are told). */
void catalog_shippers(const struct catalog *catalog, struct arena *arena, const char *sought, struct strings *names);
/* Tells the names of all packages, in any order, and one maybe several times. For words to people alone: it is no question that
 * a product may depend on, and is not noted as one (line/questions.h). */
void catalog_names(const struct catalog *catalog, catalog_take_name *take, void *taker);
/* Returns whether an index lists the package: of that name, version, architecture and SHA-256 (zeros: whatever the index says). */
bool catalog_lists(const struct catalog *catalog, const struct pin_package *package);
/* Returns the package's name that is most like one that is none, with the same first letter; NULL when none is near. For the same
 * use. */
const char *catalog_nearest(const struct catalog *catalog, struct arena *arena, const char *name);
/* Marks the updates for which the repositories' advisories say that they mend the security: one of a version that is newer
 * than `before` and not than `after`. They are fetched for that. No two have the same package. Blocks. */
bool catalog_mark_security(struct catalog *catalog, struct catalog_update *updates, size_t count,
                           struct err *err) MUST_CHECK;
/* Lets go of the memory that holds what was read of the indices' files; it can be read again. For who asks nothing for a
 * while. */
void catalog_rest(const struct catalog *catalog);
/* Closes it. NULL is fine. */
void catalog_close(struct catalog *catalog);

#endif
