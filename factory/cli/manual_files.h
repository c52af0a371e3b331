/* SPDX-License-Identifier: Apache-2.0 */
/* manual_files.h - the manual pages of section 5, of the files that people write and of the report: imgfactory-manifest(5) …
 *
 * Their words are those of the tree's pages (manual_texts.h), their list of keys comes from the tables by which files are read.
 * Threads: no state.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_MANUAL_FILES_H
#define IMGFACTORY_CLI_MANUAL_FILES_H

#include <stdio.h>

/* A part of a page of the tree (page_part()). */
struct manual_part {
    const char *text; /* its name in manual_texts; NULL behind the last */
    const char *from, *until;
};

struct manual_file {
    const char *name; /* "manifest"; NULL behind the last */
    const char *line; /* what it is */
    struct manual_part parts[3];
};

extern const struct manual_file manual_files[];

/* Returns the row of that name, or NULL. */
const struct manual_file *manual_file_find(const char *name);
/* Prints the page. */
void manual_file_print(FILE *out, const struct manual_file *file);

#endif
