/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/packing.h"

#include <stddef.h>
#include <string.h>

const char *const packing_names[] = {[PACKING_ZSTD] = "zstd",
                                     [PACKING_GZIP] = "gzip",
                                     [PACKING_CHUNKED] = "zstd:chunked",
                                     [PACKING_BOTH] = "both",
                                     NULL};

bool packing_parse(const char *name, enum packing *ret_packing)
{
    for (size_t i = 0; packing_names[i]; i++) {
        if (strcmp(name, packing_names[i]) == 0) {
            *ret_packing = (enum packing)i;
            return true;
        }
    }
    return false;
}
