/* SPDX-License-Identifier: Apache-2.0 */
/* alternatives.h - the links of update-alternatives(1), made without running it
 *
 * A library or program that several packages can give has its generic name only through a link that a script registers:
 * `update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]…` (Fedora: `alternatives`, also
 * `--follower`, `--family NAME`, `--initscript NAME`). Where all words are constant, or become so when
 * the script is followed through its loops and variables (script_calls.h), the links LINK → /etc/alternatives/NAME
 * → PATH are put into the fileset as files of the package, so that the closure finds the generic name. Of several the
 * highest priority wins, then the first package by name; what a package ships at LINK stays; a PATH that no package has
 * makes no link.
 * Threads: the thread that builds the set.
 * Fails with: nothing.
 */
#ifndef IMGFACTORY_EFFECT_ALTERNATIVES_H
#define IMGFACTORY_EFFECT_ALTERNATIVES_H

#include "closure/fileset.h"
#include "effect/shell_words.h"

/* One link and what it leads to. */
struct alternative {
    const char *link, *name, *path;
};

/* What one command registers: the master first, then those that follow it. */
struct alternatives {
    struct alternative *items;
    size_t count, capacity;
    int64_t priority;
};

/* Reads an --install command; false when it is none, or when a word of it is only known to the running script. */
bool alternatives_parse(struct arena *arena, const struct shell_command *command,
                        struct alternatives *ret_alternatives);
struct alternatives_list {
    struct alternatives *items;
    size_t count, capacity;
};

/* Lists what a package's scripts register when it is installed, also in loops over words that the script has. */
void alternatives_of(struct arena *arena, const struct fileset *set, const struct package *package,
                     struct alternatives_list *ret_list);
/* Adds the links of all packages of the set to it. */
void alternatives_add(struct fileset *set);

#endif
