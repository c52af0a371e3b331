/* SPDX-License-Identifier: Apache-2.0 */
/* unit_file.h - a packaged systemd unit file with its drop-ins, as directives (systemd.syntax(7), systemd.unit(5))
 *
 * Sections, comments, lines that a backslash continues; a key may stand several times, and an empty value takes back
 * what stood before. Drop-ins are the files NAME.d/\*.conf of the same packages, and for an instance those of its
 * template, by the names of the files.
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 * Fails with: ERR_MALFORMED (no unit file, or more of anything than is allowed), and as packaged.h.
 */
#ifndef IMGFACTORY_SERVICE_UNIT_FILE_H
#define IMGFACTORY_SERVICE_UNIT_FILE_H

#include "service/packaged.h"

#define UNIT_DIR "/usr/lib/systemd/system"
#define UNIT_LINE_MAX 32768      /* of a line with those that continue it */
#define UNIT_DIRECTIVES_MAX 4000 /* of a unit with its drop-ins */
#define UNIT_DROPINS_MAX 64

struct unit_directive {
    const char *section, *key, *value;
    const char *path; /* of the file */
    size_t line;
};

struct unit_file {
    const char *name; /* with the instance, where it is a template: "tor@default.service" */
    const char *path; /* of the file */
    const struct package *package;
    struct {
        struct unit_directive *items;
        size_t count, capacity;
    } directives;
};

struct unit_directives {
    const struct unit_directive **items;
    size_t count, capacity;
};

/* Reads a unit file of one of the packages, and its drop-ins, under the name given. */
bool unit_file_read(struct arena *arena, const struct packaged *packaged, const struct packaged_file *file,
                    const char *name, struct unit_file *ret_unit, struct err *err) MUST_CHECK;
/* Lists the directives of a key that count: those behind the last empty one. */
void unit_file_list(struct arena *arena, const struct unit_file *unit, const char *section, const char *key,
                    struct unit_directives *ret_directives);
/* Finds the last one of them; NULL when there is none. */
const struct unit_directive *unit_file_find(const struct unit_file *unit, const char *section, const char *key);
/* Returns the last value of a key, or `otherwise`. */
const char *unit_file_value(const struct unit_file *unit, const char *section, const char *key, const char *otherwise);
/* Returns whether a key's last value is one of systemd's words for true. */
bool unit_file_is_true(const struct unit_file *unit, const char *section, const char *key);

#endif
