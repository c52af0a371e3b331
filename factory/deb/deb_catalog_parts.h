/* SPDX-License-Identifier: Apache-2.0 */
/* deb_catalog_parts.h - the inside of a catalog: for deb_catalog*.c and the solver's loader only
 *
 * Threads: const once catalog_prepare() returned; the tables of Contents come later, through the flight, and are const
 * then.
 */
#ifndef IMGFACTORY_DEB_DEB_CATALOG_PARTS_H
#define IMGFACTORY_DEB_DEB_CATALOG_PARTS_H

#include "base/flight.h"
#include "deb/deb_catalog.h"
#include "deb/deb_index.h"
#include "source/contents.h"

#include <stdatomic.h>

/* One Packages file. */
struct deb_catalog_index {
    const struct release *release;
    const char *name;        /* for messages: "main/binary-amd64/Packages of SUITE of URI" */
    const char *file;        /* "main/binary-amd64/Packages" */
    const char *listed_name; /* with its ending */
    const struct release_file *listed;
    struct deb_pin_index traits; /* what pins can ask of it */
    int priority;                /* of its versions, unless a pin names them */
    int bonus;                   /* what comes on top, of pins too: a locked generation's beside the newest one */
    struct pin_view seen;
    struct digest key; /* of the derived file */
    struct deb_index index;
    struct view view; /* mapped from the store, or empty */
    struct buf bytes; /* in tests: built in memory, or empty */
};

/* One Contents file. */
struct deb_contents {
    const struct release *release;
    const char *name, *file;
    const struct release_file *listed;
    const char *listed_name; /* with its ending */
    struct pin_view seen;
    struct contents contents;
    struct view view;
};

struct deb_contents_list {
    struct deb_catalog *catalog;
    struct arena arena;
    bool is_all;          /* Contents-all, not Contents-ARCH */
    atomic_bool is_asked; /* somebody loads it, or has done so */
    LIST(struct deb_contents) items;
};

struct deb_catalog {
    struct catalog base;
    struct arena arena;
    const struct source_env *env;
    struct workers *workers;
    const struct releases *releases;
    const struct deb_pins *pins;            /* the host's, when it is the source */
    LIST(struct deb_catalog_index) indices; /* in the order of the source */
    struct flight *flight;
    struct deb_contents_list arch_contents, all_contents;
};

/* The catalog as what it is here. */
static inline struct deb_catalog *deb_catalog_of(struct catalog *catalog)
{
    return (struct deb_catalog *)catalog;
}
static inline const struct deb_catalog *deb_catalog_of_const(const struct catalog *catalog)
{
    return (const struct deb_catalog *)catalog;
}
/* The functions of struct catalog_kind. */
bool deb_catalog_owners(struct catalog *catalog, struct arena *arena, const char *path, struct strings *ret_names,
                        const char **ret_hint, struct err *err) MUST_CHECK;
bool deb_catalog_has(const struct catalog *catalog, const char *name, bool is_virtual_fine);
void deb_catalog_names(const struct catalog *any, catalog_take_name *take, void *taker);
bool deb_catalog_lists(const struct catalog *any, const struct pin_package *package);
bool deb_catalog_siblings(struct catalog *catalog, struct arena *arena, const char *package,
                          struct siblings *ret_siblings, struct err *err) MUST_CHECK;
bool deb_catalog_solve(struct arena *arena, const struct catalog *catalog, const struct solve_request *request,
                       struct selection *ret_selection, struct err *err) MUST_CHECK;
bool deb_catalog_identity(struct arena *arena, const struct catalog *catalog, const struct selection *selection,
                          struct selected *ret_selected, bool *ret_found, struct err *err) MUST_CHECK;
bool deb_catalog_locate(struct catalog *catalog, struct arena *arena, const char *base, enum located_kind kind,
                        struct locations *ret_locations, struct err *err) MUST_CHECK;
bool deb_catalog_scan(struct catalog *catalog, const struct catalog_scan *scan, struct err *err) MUST_CHECK;
bool deb_catalog_describe(const struct catalog *catalog, struct arena *arena, const char *package,
                          struct catalog_package *ret_package, bool *ret_found, struct err *err) MUST_CHECK;
bool deb_catalog_paths_ready(struct catalog *catalog, uint64_t worth_bytes, bool *ret_are_ready,
                             struct err *err) MUST_CHECK;
bool deb_catalog_tells(const struct catalog *catalog, const struct selected *selected);
void deb_catalog_shippers(const struct catalog *catalog, struct arena *arena, const char *sought,
                          struct strings *names);
/* What the selected packages of a Release refer to. */
const struct origin *deb_catalog_origin(const struct deb_catalog *catalog, const struct release *release);
/* Removes a derived file that turned out to be damaged and says so. Always returns false. */
bool deb_catalog_fail_damaged(const struct deb_catalog *catalog, const struct deb_catalog_index *index,
                              struct err *err);
/* Finds the Contents files that the Releases list; their tables come when they are asked for. */
void deb_catalog_list_contents(struct deb_catalog *catalog);
/* Returns whether the table of a Contents file can be had without fetching anything. */
bool deb_catalog_has_table(const struct deb_catalog *catalog, const struct deb_contents *item);
/* Loads the tables of one kind, once. */
bool deb_catalog_get_contents(struct deb_catalog *catalog, bool is_all, struct deb_contents_list **ret_list,
                              struct err *err) MUST_CHECK;
/* Unmaps the Contents tables. */
void deb_catalog_close_contents(struct deb_catalog *catalog);
/* Returns what is seen of a Release's packages. */
struct pin_view deb_catalog_seen(const struct deb_catalog *catalog, const struct release *release);
/* Names the derived file that is made from what is seen of a listed file in this format. */
struct digest deb_catalog_key(const char *format, const struct digest *listed, const struct pin_view *seen);

#endif
