/* SPDX-License-Identifier: Apache-2.0 */
/* needs.h - which packages are asked for, again until nothing more is needed
 *
 * What is asked for decides what is selected and which files are kept, and these may need further packages: a file of
 * the manifest that no selected package ships, the library of a dlopen note, what a recipe installs. Each reason is a
 * source of names: a function of what the last round found. needs_settle() asks the sources in their order, and goes
 * another round as soon as one has something new.
 * Threads: blocks (file indices); called on the order's thread.
 * Owns: nothing; all lives in the order's scratch arena.
 * Fails with: ERR_RESOLVE (something is in no package; no end of what it asks for after NEEDS_MAX_ROUNDS), and as catalog.h.
 */
#ifndef IMGFACTORY_LINE_NEEDS_H
#define IMGFACTORY_LINE_NEEDS_H

#include "effect/applied.h"
#include "line/order.h"
#include "service/references.h"
#include "source/choose.h"

/* How many rounds a source may make necessary, the first among them. Each adds at least one package or recipe; real
 * manifests need one or two. */
#define NEEDS_MAX_ROUNDS 16

/* Which package was taken for a path. */
struct chosen {
    const char *path;
    struct choice choice;
};

struct chosen_list {
    struct chosen *items;
    size_t count, capacity;
};

/* What is asked for; grows from round to round. */
struct asked {
    struct strings names;          /* packages to install */
    struct strings refused;        /* packages of dlopen notes that cannot be installed beside the others */
    struct chosen_list chosen;     /* each path once, in the order in which they were asked for */
    struct applied applied;        /* recipes */
    struct automatic automatic;    /* what the service's packages say */
    struct references *references; /* what was read for that; made by the rounds */
    struct wishes wishes;          /* the manifest's, merged with those of the recipes, and with `automatic` */
    struct manifest_config config; /* the manifest's, with what `automatic` has */
    bool is_first_ignored;         /* `packages: first` did not hold; the file indices tell */
    bool is_impatient;             /* what is missing is in no further package: all of the selection is looked into */
    struct strings told;           /* packages that the file indices name for what was looked for (line/opening.h) */
};

/* What was selected for it, and the packages that are open by now. */
struct opened {
    struct selection selection;
    struct selected identity; /* when there is one; it may be in the selection, too */
    bool has_identity;
    const struct package *
        *packages; /* parallel to the selection, NULL when not opened; then the identity's, if it is not
                                        of the selection */
    const struct package *identity_package; /* NULL when not opened */
    bool is_lean;                           /* packages stay closed of which the file indices tell (line/opening.h): */
    bool is_wide;                           /* also those are opened that are not likely */
    struct map *looked;                     /* what these were asked for, of this selection */
};

/* What the image is made of. */
struct closed {
    struct asked asked;
    struct opened opened;
    struct wishes wishes; /* asked.wishes with what PAM needs */
    struct fileset set;   /* of the packages that are open */
    struct map sought;    /* what was looked for in the set and is not there (fileset.h) */
    struct keep keep;
    const struct manifest *manifest; /* the order's, its globs of binaries being the paths that they match */
    bool is_waiting; /* for further packages: what is missing is in none of the selection, as the file indices say */
    struct unloadable_files unloadable; /* what the proof found beyond keep.unloadable */
};

/* What a source of names adds to what is asked for. */
struct need {
    struct strings names;
    struct chosen_list chosen;
    struct applied applied;            /* all recipes that apply by now; none when they are the same as before */
    const struct automatic *automatic; /* when it is other than before; else NULL */
    struct strings told;   /* packages of the selection that have to be opened; when there are any, that is all */
    bool is_first_ignored; /* start over: names and choices are all that is asked for, `packages: first` is ignored */
};

typedef bool needs_source(const struct order *order, const struct closed *closed, struct need *need, struct err *err);

/* The sources. `closed` is what the last round found (of the first: nothing), `need` is empty. */

/* The packages that the manifest asks for by itself: whole ones, and those that ship its binaries; when it has neither,
 * those that ship its files. */
bool needs_of_manifest(const struct order *order, const struct closed *closed, struct need *need,
                       struct err *err) MUST_CHECK;
/* Files may name the packages to look into: when none of them is selected, the first that exists. Needs no closure. Where only
 * the selection is wanted, the packages of units, too: one that nobody ships is to be told. */
bool needs_of_files(const struct order *order, const struct closed *closed, struct need *need,
                    struct err *err) MUST_CHECK;
/* The packages of libraries that dlopen notes name: of each the first that ships it in a directory of the loader. What
 * nobody ships, or no index tells, stays missing. An index that cannot be had just now is an error: the image must not
 * depend on that. */
bool needs_of_dlopen(const struct order *order, const struct closed *closed, struct need *need,
                     struct err *err) MUST_CHECK;
/* The packages of libraries that plug-ins lack which the service's configuration names, and of what runs scripts that it
 * names, found in the same way. */
bool needs_of_plugins(const struct order *order, const struct closed *closed, struct need *need,
                      struct err *err) MUST_CHECK;
/* The recipes of packages that give files, once nothing is missing, and what they install. */
bool needs_of_recipes(const struct order *order, const struct closed *closed, struct need *need,
                      struct err *err) MUST_CHECK;
/* What is automatic for a service, once nothing is missing (service/automatic.h). */
bool needs_of_service(const struct order *order, const struct closed *closed, struct need *need,
                      struct err *err) MUST_CHECK;
/* Of a service the package with its unit or init script, when a sibling of its binary's package has it. */
bool needs_of_holder(const struct order *order, const struct closed *closed, struct need *need,
                     struct err *err) MUST_CHECK;
/* Of a service the packages that build on the one with its binary, are of the same source and are recommended by it: as
 * the only plug-in that lets it start. Those that are the same for all architectures are data, and stay away. */
bool needs_of_recommended(const struct order *order, const struct closed *closed, struct need *need,
                          struct err *err) MUST_CHECK;
/* The packages of paths that no selected package ships: a binary was promised by a `first` package that does not ship
 * it (then it is started over), or the package of a file or script interpreter has to be added. */
bool needs_of_paths(const struct order *order, const struct closed *closed, struct need *need,
                    struct err *err) MUST_CHECK;

/* The two stages that are done in each round. resolve() makes closed->opened anew of what is asked; close() opens packages
 * and makes the rest; NULL when only the selection is wanted. */
struct needs_stages {
    bool (*resolve)(const struct order *order, const struct asked *asked, struct opened *ret_opened, struct err *err);
    bool (*close)(const struct order *order, struct closed *closed, struct err *err);
};

/* Asks for packages until nothing is missing that is required, and no recipe applies that did not before. What dlopen
 * notes ask for after their rounds is left out, and is a note of the closure. */
bool needs_settle(const struct order *order, const struct needs_stages *stages, struct closed *ret_closed,
                  struct err *err) MUST_CHECK;

/* Returns whether a package of that name is selected / some selected package is not opened. */
bool opened_selects(const struct opened *opened, const char *name);
bool opened_is_partial(const struct opened *opened);

#endif
