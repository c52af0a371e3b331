/* SPDX-License-Identifier: Apache-2.0 */
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
    const char *whole;          /* the package that was asked for, which ships a part of that program; or NULL */
};

/* Finds the program of a package: that its service starts, or one of a package of its source; the only one in a directory for
 * administrators; the only one; the one that is named like it; one of a package on which it depends (then the package comes whole, unless it ships nothing: dovecot-imapd is a part of
 * dovecot). `unit` is the name of the unit that is asked for, or NULL for any. */
bool names_program_find(const struct names_place *place, const char *package, const char *unit,
                        struct names_program *ret_program, struct err *err) MUST_CHECK;
/* Finds the package to which one leads that ships nothing itself: the only one of its source on which it depends, else the only
 * one at all; NULL for any other package. Opens it. */
bool names_program_lead(const struct names_place *place, const char *package, const char **ret_next,
                        struct err *err) MUST_CHECK;
/* Finds the one program of a base name that a package ships; *ret_path is NULL when it has none. Opens it. */
bool names_program_named(const struct names_place *place, const char *package, const char *base, const char **ret_path,
                         struct err *err) MUST_CHECK;

/* Keeps of paths those that are programs of the package, links to others of it as what they lead to, each once. Opens it. */
bool names_program_settle(const struct names_place *place, const char *package, struct strings *paths,
                          struct err *err) MUST_CHECK;

#endif
