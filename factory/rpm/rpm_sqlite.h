/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_sqlite.h - rpmdb.sqlite, rpm's database of what is installed: its headers read, and a database made of headers
 *
 * Format: https://rpm-software-management.github.io/rpm/manual/ and rpm's lib/backend/sqlite.c. A table Packages(hnum, blob)
 * has the headers, one table per indexed tag the numbers of the headers that have a key. Only Packages is believed: what
 * the indices say follows from the headers (rpm_keys.h), and is made anew. All of it goes through libsqlite3, in memory: the
 * database of a base is hostile until it is read, so its schema may not be run, and its work is bounded.
 * What is written depends on the headers alone: the number of libsqlite3's version and the counters in the file's first
 * page are set to zero, the rest follows from the order of the statements (README, "The package database").
 * Threads: any; a connection lives inside one call.
 * Fails with: ERR_MALFORMED (damaged, not rpm's, over a limit), ERR_RESOLVE (changes that are only in its journal).
 */
#ifndef IMGFACTORY_RPM_RPM_SQLITE_H
#define IMGFACTORY_RPM_RPM_SQLITE_H

#include "base/err.h"
#include "base/text.h"

#define RPM_SQLITE_MAX_BYTES ((size_t)128 << 20)
#define RPM_SQLITE_MAX_PACKAGES 65536u

struct rpm_sqlite_row {
    uint32_t number; /* hnum: from 1 */
    struct text header;
};

struct rpm_sqlite_rows {
    struct rpm_sqlite_row *items; /* by number */
    size_t count, capacity;
};

/* Reads the headers, in the order of their numbers; `place` is the file's name for messages. */
bool rpm_sqlite_read(struct arena *arena, const char *place, struct text bytes, struct rpm_sqlite_rows *ret_rows,
                     struct err *err) MUST_CHECK;
/* Makes a database of headers, by number; those have to be readable ones (rpm_header.h). `is_big_endian` is the machine
 * that will read it: one of the indices has numbers as that has them in memory. */
bool rpm_sqlite_write(struct arena *arena, const struct rpm_sqlite_rows *rows, bool is_big_endian,
                      struct text *ret_bytes, struct err *err) MUST_CHECK;

#endif
