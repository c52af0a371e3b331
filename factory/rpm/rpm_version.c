/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_version.h"

#include "source/solv.h"

int rpm_version_compare(const char *a, const char *b)
{
    Pool *pool = pool_create();
    (void)pool_setdisttype(pool, DISTTYPE_RPM);
    int order = pool_evrcmp_str(pool, a, b, EVRCMP_COMPARE);
    pool_free(pool);
    return order;
}
