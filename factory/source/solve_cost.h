/* SPDX-License-Identifier: Apache-2.0 */
/* solve_cost.h - what a request will cost libsolv, counted before it is asked
 *
 * libsolv makes lists of providers and rules of all that a request reaches, with no bound of its own: relations times
 * providers, conflicts times providers, versions of a name squared, clauses of rich dependencies. The unit is an entry of
 * such a list, 4 bytes; what makes a rule (24 bytes) counts more.
 * Threads: the Pool's.
 */
#ifndef IMGFACTORY_SOURCE_SOLVE_COST_H
#define IMGFACTORY_SOURCE_SOLVE_COST_H

#include "base/err.h"
#include "source/solv.h"

#include <stdint.h>

#define SOLVE_COST_MAX 30000000u /* of one request; the widest of Debian's or Fedora's are below 3,000,000 */
#define SOLVE_COST_OF_CLAUSE 8
#define SOLVE_COST_OF_CONFLICT 6 /* each is a rule */

struct solve_cost {
    uint64_t total, worst;
    Id worst_id; /* the package that costs most so far */
};

/* Counts the packages that provide a relation; none of its parts may be an alternative. */
uint64_t solve_cost_of_providers(Pool *pool, Id relation);
/* Adds what a package costs. */
void solve_cost_add(struct solve_cost *cost, Id id, uint64_t sum);
bool solve_cost_is_over(const struct solve_cost *cost);
/* Sets ERR_MALFORMED, naming the package that costs most. Returns false. */
bool solve_cost_fail(const struct solve_cost *cost, Pool *pool, struct err *err);

#endif
