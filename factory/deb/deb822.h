/* SPDX-License-Identifier: Apache-2.0 */
/* deb822.h - stanzas of "Name: value" lines, as in Release files, .sources files and package control files
 *
 * Format: deb822(5). Stanzas are separated by blank lines (nothing but spaces and tabs); a line that begins with a
 * space or tab continues the value above it; a line that begins with '#' is a comment wherever it stands.
 * Threads: no shared state.
 * Owns: nothing; values borrow the input bytes (or the arena where comments had to be cut out of a value).
 * Fails with: the kind given to deb822_begin(); texts begin with "NAME:LINE: ".
 */
#ifndef IMGFACTORY_DEB_DEB822_H
#define IMGFACTORY_DEB_DEB822_H

#include "base/text.h"

/* A field as it stands: `value` is trimmed at both ends; continuation lines stay in it with their first blank. */
struct deb822_field {
    struct text name, value;
    size_t line; /* from 1 */
};

struct deb822_stanza {
    struct deb822_field *items;
    size_t count, capacity;
};

/* A reader over bytes; `name` is for messages and must live as long as the reader. */
struct deb822 {
    const char *name;
    struct text rest;
    size_t line; /* of the next line, from 1 */
    enum err_kind fault_kind;
    bool are_twins_fine; /* set by the caller: a field may be given twice; deb822_find() finds the first */
};

/* Starts reading `bytes`; faults are set with `fault_kind` (ERR_USAGE for the operator's files, ERR_MALFORMED else). */
void deb822_begin(struct deb822 *ret_reader, const char *name, struct text bytes, enum err_kind fault_kind);
/* Reads the next stanza into the arena; *ret_found is false at the end of the bytes. Refuses NUL bytes, lines that are
 * neither field nor continuation, fields given twice, and more than 4096 fields. */
bool deb822_next(struct deb822 *reader, struct arena *arena, struct deb822_stanza *ret_stanza, bool *ret_found,
                 struct err *err) MUST_CHECK;
/* Finds a field by its name, letters without case; NULL when absent. */
const struct deb822_field *deb822_find(const struct deb822_stanza *stanza, const char *name);
/* Returns a field's value; {NULL, 0} when absent. */
struct text deb822_value(const struct deb822_stanza *stanza, const char *name);

#endif
