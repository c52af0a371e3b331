/* SPDX-License-Identifier: Apache-2.0 */
/* dropin.h - the words of systemd's line files: sysusers.d(5), tmpfiles.d(5)
 *
 * Both are lines of words with blanks between; words may be quoted or escaped as systemd's extract_first_word() takes
 * them, and hold specifiers (systemd.unit(5), "Specifiers"). Specifiers that mean something in an image have a value
 * here; those of one machine or one boot (%m, %b, %H, %v …) have none, and the line is then not for an image.
 * Threads: no state.
 */
#ifndef IMGFACTORY_EFFECT_DROPIN_H
#define IMGFACTORY_EFFECT_DROPIN_H

#include "closure/fileset.h"

#define DROPIN_FILE_MAX ((size_t)1 << 20)
#define DROPIN_LINE_MAX 8192
#define DROPIN_LINES_MAX 4000 /* of all files of one image */

/* One file of a package below /usr/lib/sysusers.d or tmpfiles.d. */
struct dropin {
    const struct package *package;
    const struct entry *entry;
};

struct dropins {
    struct dropin *items;
    size_t count, capacity;
};

/* A line that is neither blank nor a comment. */
struct dropin_line {
    struct text text;
    const char *place; /* "package chrony: /usr/lib/sysusers.d/chrony.conf:3" */
};

struct dropin_lines {
    struct dropin_line *items;
    size_t count, capacity;
};

/* Lists the files NAME.conf right below `dir` in these packages, in systemd's order: by name of the file. */
void dropin_list(struct arena *arena, const struct package *const *packages, size_t count, const char *dir,
                 struct dropins *ret_files);
/* Splits the files into lines. What is too big is left out with a note. ERR_TRUST when a file's bytes are not those
 * that were unpacked. */
bool dropin_read(struct arena *arena, const struct dropins *files, struct dropin_lines *ret_lines,
                 struct strings *notes, struct err *err) MUST_CHECK;
/* Takes the next word off the front; *ret_word is NULL at the end. With is_unescaping C escapes are read, else a
 * backslash only takes the next character as it is. Returns NULL, or why the line is malformed. */
const char *dropin_word(struct arena *arena, struct text *rest, bool is_unescaping, const char **ret_word);
/* Reads C escapes in all of a text; NULL when one is malformed. */
const char *dropin_unescape(struct arena *arena, struct text text);
/* Puts values for specifiers; NULL when one has none in an image. */
const char *dropin_expand(struct arena *arena, const char *string);

#endif
