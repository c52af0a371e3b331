/* names_program.h - which program a package is for: private to names.c and names_program.c
 *
 * The package is opened, and if its service is in another of the same source, that too. Nothing is run.
 * Threads: blocks; called on coordinating threads.
 * Owns: nothing; results live in the arena.
 * Fails with: ERR_USAGE (several programs, or none), and as solve.h, supply.h, catalog.h.
 */
#ifndef IMGFACTORY_LINE_NAMES_PROGRAM_H
#define IMGFACTORY_LINE_NAMES_PROGRAM_H

#include "line/plant.h"

/* Where is looked. */
struct names_place {
    struct plant *plant;
    struct catalog *catalog;
    struct arena *arena;
};

struct names_program {
    const char *path, *package; /* that ships it */
    const char *by;             /* "nsd.service", or NULL: by its place */
};

/* Finds the program of a package; `unit` is the name of the unit that is asked for, or NULL for any. */
bool names_program_find(const struct names_place *place, const char *package, const char *unit,
                        struct names_program *ret_program, struct err *err) MUST_CHECK;
/* Finds the one program of a base name that a package ships; *ret_path is NULL when it has none. Opens it. */
bool names_program_named(const struct names_place *place, const char *package, const char *base, const char **ret_path,
                         struct err *err) MUST_CHECK;

#endif
