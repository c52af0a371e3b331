/* SPDX-License-Identifier: Apache-2.0 */
#include "source/snapshot.h"

#include "source/pins.h"

bool snapshot_check(const struct yaml_node *node, const char *pattern, struct err *err)
{
    const char *fault = pattern ? pins_snapshot_fault(pattern) : NULL;
    return !fault || yaml_fail(yaml_get(node, "snapshot"), err, "snapshot: %s", fault);
}
