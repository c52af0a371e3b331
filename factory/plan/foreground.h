/* SPDX-License-Identifier: Apache-2.0 */
/* foreground.h - what keeps daemons in the foreground: manifests/foreground/NAME.yaml
 *
 * The first process of a container must not fork and end. Which switch of which program sees to that is data: a row for
 * each program, by the name of its file. manifests/README.md, "Foreground", describes every key.
 * Threads: loaded by main before other threads start, then const for all; foreground_words() has no state.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …"), ERR_LOCAL.
 */
#ifndef IMGFACTORY_PLAN_FOREGROUND_H
#define IMGFACTORY_PLAN_FOREGROUND_H

#include "plan/yaml.h"

struct foreground {
    struct strings programs;  /* names of files, globs: "php-fpm*" */
    struct strings packages;  /* only when the program is of one of these; none: of any */
    struct strings add;       /* words that belong together: "-g", "daemon off;" */
    struct strings remove;    /* words that are taken away */
    struct strings values;    /* options that are taken away with their value, in the next word or behind '=' */
    struct strings unless;    /* nothing is added beside one of these words */
    struct yaml_pairs change; /* words that others take the place of: "start": "start-fg" */
    const char *options_of;   /* variables that begin so are options of its command: ETCD_DATA_DIR is --data-dir */
    bool is_last;             /* what is added comes after all other words, not before them */
    bool is_always;           /* also where the unit's type says that the program does not fork */
    const char *note;         /* what has to be done besides, for the report; or NULL */
};

struct foregrounds {
    struct foreground *items; /* in the order of files and rows */
    size_t count, capacity;
    struct digest digest; /* of all files and their names */
};

/* Loads the rows of all files of the directories; a file takes the place of one of the same name in an earlier
 * directory. */
bool foregrounds_load(struct arena *arena, const struct strings *dirs, struct foregrounds *ret_foregrounds,
                      struct err *err) MUST_CHECK;
/* Finds the first row for a program's path that is shipped by the package (may be NULL); rows that name packages before
 * others. NULL when nothing is known. */
const struct foreground *foreground_find(const struct foregrounds *foregrounds, const char *program,
                                         const char *package);
/* Returns the words of a command, of which the first is the program, as they stay in the foreground. */
struct strings foreground_words(struct arena *arena, const struct foreground *foreground, const struct strings *words);

#endif
