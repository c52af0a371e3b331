/* format.h - what a package format does, as one table of functions per format
 *
 * Nothing outside the format's own rooms asks which format it is: sources, packages and catalogs carry a pointer to their
 * table. The instances are listed in formats/formats.c; so a further format is one room, one line there, and its name for
 * each architecture in arches/.
 * Threads: const for all; each function says in the header of its type what threads may call it.
 */
#ifndef IMGFACTORY_SOURCE_FORMAT_H
#define IMGFACTORY_SOURCE_FORMAT_H

#include "base/text.h"

struct database_files;
struct database_request;
struct err;
struct package;
struct package_expect;
struct store;
struct unpack_limits;

/* Every entry is set. */
struct format {
    const char *name; /* "deb", "rpm": `kind` of a source file, `when` of a recipe, the key in arches/ */

    /* Unpacks the bytes of one package into the store, as package.h tells. */
    bool (*unpack)(struct store *store, struct text bytes, const struct package_expect *expect,
                   const struct unpack_limits *limits, struct err *err);
    /* Returns what facts an opened package must have and has not ("an RPM package without version"), or NULL. */
    const char *(*package_fault)(const struct package *package);
    /* Where a package says its name, for messages: "control file". */
    const char *identity_place;
    /* Names of the scripts that installing runs, in its order; NULL ends the list. */
    const char *const *install_scripts;
    /* Prints the package database of an image (database.h). */
    bool (*database)(struct arena *arena, const struct database_request *request, struct database_files *ret_files,
                     struct err *err);
};

#endif
