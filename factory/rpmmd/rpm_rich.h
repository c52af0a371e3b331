/* SPDX-License-Identifier: Apache-2.0 */
/* rpm_rich.h - rich dependencies: "(foo >= 1.0 or (bar and baz))" to libsolv's relations
 *
 * Format: https://rpm-software-management.github.io/rpm/manual/boolean_dependencies.html. The same relations as
 * libsolv's own parser makes, which would bring in librpm (it is in libsolvext). At most RPM_RICH_OPERANDS_MAX operands
 * and levels in one, since libsolv recurses on them.
 * Threads: no state but the Pool's.
 */
#ifndef IMGFACTORY_RPMMD_RPM_RICH_H
#define IMGFACTORY_RPMMD_RPM_RICH_H

#include "source/solv.h"

#include <stdint.h>

#define RPM_RICH_OPERANDS_MAX 256
#define RPM_RICH_CLAUSES_MAX 256 /* libsolv makes them all; the most in Fedora are below 10 */

/* Returns the relation that a text in parentheses stands for; 0 when it cannot be read. */
Id rpm_rich_parse(Pool *pool, const char *text);
/* Counts the clauses of a relation, or of its opposite if that has more, when "and" and "or" are sorted into a normal
 * form, as libsolv does it: a power of the text's length. At most UINT32_MAX. */
uint64_t rpm_rich_clause_count(const Pool *pool, Id relation);

#endif
