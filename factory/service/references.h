/* SPDX-License-Identifier: Apache-2.0 */
/* references.h - the absolute paths that files of a service name, and what of that its own packages ship
 *
 * A program knows where its helpers, plug-ins and data are: the path of a file, or of a directory below which it makes
 * the rest of the name itself, stands in it as a string, or in its configuration. What is named and of the own packages
 * comes along: a file as it is, a directory with all below it, unless other packages have files there as well
 * (/usr/lib): then it says nothing.
 * What came because of such a directory, other than a program and what it needs, names single files only: one plug-in's idea of where
 * something might be is not the service's. Left out of directories are headers, static libraries and, unless libltdl is loaded,
 * its .la files; what the family calls dispensable; libraries that other files need by their soname, which come with
 * these; and, unless somebody says their names (service/spoken.h), shell scripts, and programs that would bring a library
 * which nothing else needs.
 * Read are ELF files whole, and texts of at most 1 MiB without their comment lines.
 * Threads: one.
 * Fails with: ERR_MALFORMED (more directories than are allowed).
 */
#ifndef IMGFACTORY_SERVICE_REFERENCES_H
#define IMGFACTORY_SERVICE_REFERENCES_H

#include "service/modest.h"
#include "service/spoken.h"

#define REFERENCES_DIRS_MAX 500 /* directories that come along, without those below others */

/* What is named by files that were read already: path → struct strings. It outlives the rounds of an order. */
struct references {
    struct map by_file;
    struct map joined;   /* paths of those whose strings have no end → anything */
    struct map called;   /* what programs hand to the shell, of shells.c */
    struct strings dirs; /* directories that come along */
    struct spoken_memory spoken;
};

/* Begins without any. */
struct references *references_new(struct arena *arena);
/* Finds what a file names, by its path; NULL when it was not read. */
const struct strings *references_of(const struct references *references, const char *path);
/* Adds what kept files of the own packages name, and the words of a command that is started: wishes, and a note of the
 * plug-ins and helpers below such directories that would bring libraries or interpreters which nothing else in the image
 * needs, unless the configuration says their names. */
bool references_find(struct modest *modest, const struct strings *command, struct automatic *found,
                     struct err *err) MUST_CHECK;

#endif
