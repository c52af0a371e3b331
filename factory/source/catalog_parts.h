/* catalog_parts.h - the inside of a catalog: for catalog*.c and the solver's loader only
 *
 * Threads: const once catalog_open() returned; the Contents tables come later, through the flight, and are const then.
 */
#ifndef IMGFACTORY_SOURCE_CATALOG_PARTS_H
#define IMGFACTORY_SOURCE_CATALOG_PARTS_H

#include "base/flight.h"
#include "source/catalog.h"
#include "source/contents.h"
#include "source/deb_index.h"

/* One Packages file. */
struct catalog_index {
    const struct release *release;
    const char *name;        /* for messages: "main/binary-amd64/Packages of SUITE of URI" */
    const char *file;        /* "main/binary-amd64/Packages" */
    const char *listed_name; /* with its ending */
    const struct release_file *listed;
    struct digest key; /* of the derived file */
    struct deb_index index;
    struct view view; /* mapped from the store, or empty */
    struct buf bytes; /* in tests: built in memory, or empty */
};

/* One Contents file. */
struct catalog_contents {
    const struct release *release;
    const char *name, *file;
    const struct release_file *listed;
    const char *listed_name; /* with its ending */
    struct contents contents;
    struct view view;
};

struct catalog_contents_list {
    struct catalog *catalog;
    struct arena arena;
    bool is_all; /* Contents-all, not Contents-ARCH */
    LIST(struct catalog_contents) items;
};

struct catalog {
    struct arena arena;
    const struct source_env *env;
    struct workers *workers;
    const struct releases *releases;
    const struct arch *arch;
    struct digest digest;
    LIST(struct catalog_index) indices; /* in the order of the source */
    struct flight *flight;
    struct catalog_contents_list arch_contents, all_contents;
};

/* Removes a derived file that turned out to be damaged and says so. Always returns false. */
bool catalog_fail_damaged(const struct catalog *catalog, const struct catalog_index *index, struct err *err);
/* Unmaps the Contents tables. */
void catalog_close_contents(struct catalog *catalog);
/* Names the derived file that is made from a listed file in this format. */
struct digest catalog_key(const char *format, const struct digest *listed);

#endif
