/* SPDX-License-Identifier: Apache-2.0 */
#include "source/solve_cost.h"

uint64_t solve_cost_of_providers(Pool *pool, Id relation)
{
    Id *ids = pool_whatprovides_ptr(pool, relation);
    uint64_t count = 0;
    while (ids[count])
        count++;
    return count;
}

void solve_cost_add(struct solve_cost *cost, Id id, uint64_t sum)
{
    cost->total += sum;
    if (sum <= cost->worst)
        return;
    cost->worst = sum;
    cost->worst_id = id;
}

bool solve_cost_is_over(const struct solve_cost *cost)
{
    return cost->total > SOLVE_COST_MAX;
}

bool solve_cost_fail(const struct solve_cost *cost, Pool *pool, struct err *err)
{
    err_set(err, ERR_MALFORMED,
            "package %s: with its relations there would be more than %u rules and alternatives to solve",
            pool_solvid2str(pool, cost->worst_id), SOLVE_COST_MAX);
    return false;
}
