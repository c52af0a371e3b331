/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite_settle.h - private to rpm/: a SQLite database's bytes, without what nobody reads
 *
 * Which rows are on which page has been the same in all versions of libsqlite3 that were tried (3.40, 3.46, 3.53); what is
 * left over between cells is not: some leave old bytes there, newer ones zeros. Here all of it becomes zeros, and the version
 * and the counters of the first page, too.
 * Format: https://www.sqlite.org/fileformat2.html, sections 1.3, 1.5, 1.6.
 * Threads: changes the bytes that it is given.
 * Fails with: ERR_LOCAL (a file that is not laid out so: it was just made by libsqlite3).
 */
#ifndef IMGFACTORY_RPM_SQLITE_SETTLE_H
#define IMGFACTORY_RPM_SQLITE_SETTLE_H

#include "base/err.h"
#include "base/text.h"

#define SQLITE_SETTLE_PAGE_BYTES 4096u

/* Root pages of its tables and indices, by number from 1; page 1 is one besides. */
struct sqlite_roots {
    uint32_t *items;
    size_t count, capacity;
};

/* Settles a database with pages of SQLITE_SETTLE_PAGE_BYTES, nothing reserved on them. */
bool sqlite_settle(char *bytes, size_t len, const struct sqlite_roots *roots, struct err *err) MUST_CHECK;

#endif
