/* SPDX-License-Identifier: Apache-2.0 */
/* deb_pool.h - a libsolv Pool that holds just what a request can reach: for deb_solve.c, deb_reach.c and deb_greedy.c only
 *
 * Threads: one; nothing of it leaves solve_packages().
 * Owns: the Pool, until solve_pool_done().
 * Fails with: ERR_MALFORMED (a reached stanza is broken: "NAME:LINE: package …"), ERR_LOCAL (damaged cache);
 * ERR_CANCELLED; ERR_MALFORMED too when solving would cost too much.
 */
#ifndef IMGFACTORY_DEB_DEB_POOL_H
#define IMGFACTORY_DEB_DEB_POOL_H

#include "base/checksum.h"
#include "deb/deb_catalog_parts.h"
#include "source/solv.h"
#include "source/solve.h"
#include "source/solve_watch.h"

/* One stanza in the Pool. */
struct solve_item {
    const struct deb_catalog_index *index;
    uint32_t index_rank, number; /* place of the index in the catalog and of the stanza in the index */
    struct deb_stanza stanza;
    int priority; /* apt's; nothing of 0 or less is a candidate */
    uint64_t size_bytes;
    struct digest digest; /* zeros when the index has only a SHA-512 */
    struct checksum sha512;
    bool has_sha512; /* instead of the digest */
    struct text source, source_version;
    struct text candidate_version; /* the version that apt would take, when this is another */
    Id id;                         /* solvable */
    Id *clauses; /* Pre-Depends, then Depends; alternatives are REL_OR relations, nested to the right */
    size_t clause_count;
};

/* A word of a request, and the name of a package that stands for it. */
struct deb_stand {
    const char *word, *name;
};

/* What the words of a request mean (deb_wanted.h). */
struct deb_wanted {
    struct strings names;          /* "NAME" or "NAME=VERSION", each once, in the order of the words */
    LIST(struct deb_stand) stands; /* of words that are not the name of what they mean */
};

struct solve_pool {
    struct arena arena;
    const struct deb_catalog *catalog;
    Pool *pool;
    LIST(struct solve_item) items;
    LIST(struct solve_item) installed; /* what the base has, of this architecture; none of it is in by_id */
    struct map installed_by_name;
    struct deb_catalog_index base; /* their `index`: a name for messages */
    struct solve_item **by_id;     /* pool->nsolvables items; NULL where the solvable is none of ours */
    struct deb_wanted wanted;
    struct solve_watch watch;
    size_t relation_count;   /* that were loaded */
    bool has_near_zeros;     /* some version has a revision such as "0~1" */
    struct strings left_out; /* "NAME VERSION: why", packages that could have been reached */
};

/* Fills a Pool with what the request's words reach through Pre-Depends and Depends, and begins its
 * watch. */
bool solve_pool_init(struct solve_pool *solve, const struct deb_catalog *catalog, const struct solve_request *request,
                     struct err *err) MUST_CHECK;
/* Fills only `items`, in the order of repository and file: of each name the candidate, or with is_older_fine several
 * versions. */
bool solve_pool_reach(struct solve_pool *solve, const struct solve_request *request, struct err *err) MUST_CHECK;
/* Frees it. For AUTO(). */
void solve_pool_done(struct solve_pool *solve);
/* Reads and checks one stanza: names, Filename, Size and SHA256. *ret_why is why it cannot be used though nothing is
 * broken ("no SHA256 in the index"), or NULL. Fails on broken values. */
bool solve_item_read(const struct deb_catalog *catalog, const struct deb_catalog_index *index, uint32_t number,
                     struct solve_item *ret_item, const char **ret_why, struct err *err) MUST_CHECK;
/* Returns whether a package is one of the image's architecture, or for all. */
bool solve_is_own_arch(const struct deb_catalog *catalog, const struct solve_item *item);
/* Finds the version of a name that apt would take, of those that can be used. */
bool solve_find_candidate(const struct deb_catalog *catalog, struct text name, struct solve_item *ret_item,
                          bool *ret_found, struct err *err) MUST_CHECK;
/* Finds the best package of an item's name that repositories of other makers have. */
bool solve_find_anothers(const struct deb_catalog *catalog, const struct solve_item *item, struct solve_item *ret_other,
                         bool *ret_found, struct err *err) MUST_CHECK;
/* Of what is installed, with apt, unless a repository or a pin gives its version more: nothing of less takes its place. */
#define SOLVE_PRIORITY_INSTALLED 100
/* Returns the priority that the host's pins and its repository give a version. */
int solve_priority(const struct deb_catalog *catalog, const struct solve_item *item);
/* Returns that of a version that the base has. */
int solve_installed_priority(const struct deb_catalog *catalog, const struct solve_item *installed);
/* Orders two items as apt prefers them: by priority, then by version. */
int solve_compare(const struct solve_item *a, const struct solve_item *b);
/* Finds an installed package by its name; NULL when the base has none. */
static inline const struct solve_item *solve_installed(const struct solve_pool *solve, struct text name)
{
    return map_get(&solve->installed_by_name, name);
}
/* Makes the relation of a requested "name" or "name=version". */
Id solve_requested_id(struct solve_pool *solve, const char *name);

#endif
