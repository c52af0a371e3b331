/* SPDX-License-Identifier: Apache-2.0 */
/* ini.h - .repo files and dnf.conf: sections of "key = value" lines, as dnf reads them (dnf.conf(5))
 *
 * Lines that begin with '#' or ';' are comments, blank lines are passed over, a line that begins with a blank continues
 * the value on the line before it (joined by a newline). Quotes around a whole value are taken off; a section that
 * begins again is continued. At most 1 MiB, 1000 sections, 10,000 lines with values.
 * Threads: no shared state.
 * Fails with: ERR_USAGE "FILE:LINE: …"; ERR_LOCAL.
 */
#ifndef IMGFACTORY_RPMMD_INI_H
#define IMGFACTORY_RPMMD_INI_H

#include "base/list.h"

struct ini_value {
    const char *key, *value;
    size_t line; /* from 1 */
};

struct ini_section {
    const char *name;
    size_t line;
    struct {
        struct ini_value *items;
        size_t count, capacity;
    } values; /* in order; a key may stand there twice, then the last counts */
};

struct ini {
    const char *path;
    struct {
        struct ini_section *items;
        size_t count, capacity;
    } sections;
};

/* Reads a file. */
bool ini_load(struct arena *arena, const char *path, struct ini *ret_ini, struct err *err) MUST_CHECK;
/* Reads text that is called `path` in messages. */
bool ini_parse(struct arena *arena, const char *path, const char *text, struct ini *ret_ini,
               struct err *err) MUST_CHECK;

#endif
