/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_catalog_parts.h - the inside of an RPM catalog: for rpm_catalog.c, rpm_pool.c, rpm_solve.c, rpm_likely.c,
 * rpm_owners.c, rpm_siblings.c,
 * rpm_filelists.c, rpm_filter.c, rpm_locks.c, rpm_versions.c and rpm_cost.c only
 *
 * Threads: whatever touches the Pool, `missing` or `has_all_files` holds the lock. A repository's table (`files`,
 * `has_filelists`) belongs to the thread that loads it until `has_all_files` is set, and does not change after that.
 */
#ifndef IMGFACTORY_RPMMD_RPM_CATALOG_PARTS_H
#define IMGFACTORY_RPMMD_RPM_CATALOG_PARTS_H

#include "base/flight.h"
#include "rpmmd/rpm_catalog.h"
#include "rpmmd/rpm_modules.h"
#include "source/contents.h"
#include "source/locate.h"
#include "source/solv.h"
#include "source/solve.h"
#include "source/solve_watch.h"

#include <pthread.h>

#define RPM_FILELISTS_FORMAT                                                                                           \
    "rpm-filelists 3" /* what a table of filelists is made of; its bytes are of CONTENTS_FORMAT */

struct rpm_catalog;

/* One repository. */
struct rpm_catalog_repo {
    struct rpm_catalog *catalog;
    const struct rpm_repository *repository;
    const struct rpm_metadata *metadata;   /* NULL in tests */
    const struct rpm_catalog_texts *texts; /* in tests */
    const struct origin *origin;
    struct pin_view seen;
    bool is_locked;     /* its packages come before those of the newest generation */
    const char *name;   /* for messages: "primary.xml of fedora" */
    struct digest key;  /* of the derived .solv */
    struct view view;   /* the .solv, mapped while it is loaded, … */
    struct buf bytes;   /* … or in tests in memory */
    struct buf modules; /* plain modules.yaml, while it is loaded */
    Repo *repo;
    struct contents files; /* the table of its filelists, once they were needed */
    struct view files_view;
    struct buf files_bytes;
    bool has_filelists; /* the table is open */
};

struct rpm_catalog {
    struct catalog base;
    struct arena arena;
    const struct source_env *env; /* NULL in tests */
    struct workers *workers;
    LIST(struct rpm_catalog_repo) repos; /* in the order of the source */
    struct arena *metadata_arenas;       /* one per repository of the source */
    size_t metadata_count;
    struct flight *flight;
    pthread_mutex_t *lock; /* guards what follows */
    Pool *pool;
    Queue missing;      /* paths that packages depend on and nothing in primary.xml provides: Ids */
    bool has_all_files; /* filelists were loaded, of those repositories that have any */
};

/* Finds the whole catalog of its part that everybody knows. */
static inline struct rpm_catalog *rpm_catalog_of(struct catalog *catalog)
{
    return (struct rpm_catalog *)catalog;
}
static inline const struct rpm_catalog *rpm_catalog_of_const(const struct catalog *catalog)
{
    return (const struct rpm_catalog *)catalog;
}

/* The functions of struct catalog_kind. */
bool rpm_catalog_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                        const char **ret_hint, struct err *err) MUST_CHECK;
bool rpm_catalog_has(const struct catalog *catalog, const char *name, bool is_virtual_fine);
bool rpm_catalog_siblings(struct catalog *catalog, struct arena *arena, const char *package,
                          struct siblings *ret_siblings, struct err *err) MUST_CHECK;
bool rpm_catalog_locate(struct catalog *catalog, struct arena *arena, const char *base, enum located_kind kind,
                        struct locations *ret_locations, struct err *err) MUST_CHECK;
bool rpm_catalog_scan(struct catalog *catalog, const struct catalog_scan *scan, struct err *err) MUST_CHECK;
bool rpm_catalog_describe(const struct catalog *catalog, struct arena *arena, const char *package,
                          struct catalog_package *ret_package, bool *ret_found, struct err *err) MUST_CHECK;
bool rpm_catalog_solve(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                       struct selection *ret_selection, struct err *err) MUST_CHECK;
bool rpm_catalog_identity(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                          struct selected *ret_selected, bool *ret_found, struct err *err) MUST_CHECK;

/* Makes the Pool of all opened .solv files: excludes and modules applied, files' provides added. On a worker. */
bool rpm_pool_load(struct rpm_catalog *catalog, struct err *err) MUST_CHECK;
/* Frees it, with what libsolv leaves to its user. NULL is fine. */
void rpm_pool_free(Pool *pool);
/* Computes who provides what, and `missing`. With the lock. */
void rpm_pool_settle(struct rpm_catalog *catalog);
/* The same after packages were taken out: what others provide of paths is known. With the lock. */
void rpm_pool_settle_again(struct rpm_catalog *catalog);
/* Returns whether the package is there for the solver: of a fitting architecture and not excluded. */
bool rpm_pool_is_offered(const Pool *pool, Id id);
/* Orders two packages as dnf prefers them: by priority of the repository, then by version. */
int rpm_pool_compare(const Pool *pool, const Solvable *a, const Solvable *b);
/* Returns whether nothing better of that name is there: higher priority, then higher version. With the lock. */
bool rpm_pool_is_newest(Pool *pool, Id id);
/* Finds the package of a name that would be installed; 0 when there is none. With the lock. */
Id rpm_pool_find_newest(Pool *pool, const char *package);
/* Returns the name of its source package: its own when nothing is said. With the lock. */
const char *rpm_pool_source(Pool *pool, Id id);
/* Returns whether primary.xml has all files of that path ("/etc/…", "…bin/…", "/usr/lib/sendmail"). */
bool rpm_pool_has_path(const char *path);
/* Adds the packages of `among` that configure the dynamic loader's directories (a file in /etc/ld.so.conf.d, which
 * primary.xml always tells) to `ret_marked` and `ids`. With the lock. */
void rpm_pool_mark_loader_configurers(Pool *pool, const Map *among, Map *ret_marked, Queue *ids);
/* Copies a package. With the lock. */
struct selected rpm_pool_selected(struct arena *arena, const struct rpm_catalog *catalog, Id id, bool is_likely);
/* Returns the repository of a package. */
const struct rpm_catalog_repo *rpm_pool_repo(const struct rpm_catalog *catalog, Id id);

/* Is told of a package that provides what a dependency wants. */
typedef void rpm_provider_taker(void *context, Id dependency, Id provider);
/* Calls `take` for each package that could meet one of the dependencies `key` of a package. With the lock. */
void rpm_pool_each_provider(Pool *pool, Id id, Id key, rpm_provider_taker *take, void *context);

/* Marks the installed packages that can matter to an image of the requested ones: those, libraries over libraries,
 * packages of the same source, those that tell the loader where to look, libgcc. With the lock. */
void rpm_likely_mark(Pool *pool, const Queue *requested, const Map *installed, Map *likely);

/* Leaves out all but the best versions of names that have very many. Before rpm_pool_settle(). */
void rpm_versions_thin(Pool *pool);

/* Refuses (ERR_MALFORMED, with a package's name) what would take libsolv too much memory or time to make rules of. With
 * the lock. */
bool rpm_cost_check(Pool *pool, struct solve_watch *watch, const Queue *requested, bool is_weak,
                    struct err *err) MUST_CHECK;

/* Marks what excludepkgs and includepkgs leave out, those of [main] and of each repository. */
void rpm_filter_packages(struct rpm_catalog *catalog, Map *considered);
/* Marks what module streams leave out: dnf's rules, see rpm_modules.h. */
void rpm_filter_modules(struct rpm_catalog *catalog, const struct rpm_modules *modules, Map *considered);
/* Marks what locks of versions leave out (rpm_locks.c): of a locked name all versions but those of the lock, and what
 * obsoletes those. After the others: what they leave out, no lock names. */
void rpm_locks_filter(struct rpm_catalog *catalog, Map *considered);

/* Returns whether filelists could change a solution: anything that is reached from the packages `from` over any of the
 * alternatives depends on a path that primary.xml does not have. Less would not do: the answer must not depend on whether
 * another request had them loaded before, and why an alternative was not taken may lie deep below it. With the lock. */
bool rpm_filelists_matter(const struct rpm_catalog *catalog, const Queue *from, bool is_weak);
/* Loads the path tables of all repositories, once; blocks on the network and on others that load, also when it
 * is_on_worker (then it starts no threads); it never waits for a worker. Without the lock. */
bool rpm_filelists_load(struct rpm_catalog *catalog, bool is_on_worker, struct err *err) MUST_CHECK;
/* Adds the packages (Ids) that ship a canonical path, by the tables, or by reading all filelists when the tables do not
 * keep such paths; when it is_on_worker, as rpm_filelists_load(). Without the lock. */
bool rpm_filelists_find(struct rpm_catalog *catalog, const char *path, bool is_on_worker, Queue *ids,
                        struct err *err) MUST_CHECK;
/* As rpm_catalog_owners(), for who may be on a worker. Without the lock. */
bool rpm_owners_find(struct rpm_catalog *catalog, struct arena *arena, const char *path, bool is_on_worker,
                     struct strings *ret_names, struct err *err) MUST_CHECK;
/* Adds "/PATH is in PACKAGE" for paths of the same name, once all tables are loaded. With the lock. */
void rpm_filelists_hint(const struct rpm_catalog *catalog, struct arena *arena, const char *path, size_t most,
                        struct strings *hints);
/* Adds the absolute paths of the services that the packages of a name ship, by the tables, once all are loaded. With the
 * lock. */
void rpm_filelists_services(const struct rpm_catalog *catalog, struct arena *arena, const char *package,
                            struct strings *paths);
/* Adds where files of a base name are, by the tables, once all are loaded. With the lock. */
void rpm_filelists_locate(const struct rpm_catalog *catalog, struct locate *locate);
/* Unmaps the tables. */
void rpm_filelists_close(struct rpm_catalog *catalog);

#endif
