/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/manifest.h"

const char *manifest_base_image(const struct manifest *manifest)
{
    static const char prefix[] = "manifest:";
    bool is_image = manifest->base && strncmp(manifest->base, prefix, strlen(prefix)) == 0;
    return is_image ? manifest->base + strlen(prefix) : NULL;
}

bool manifest_base_is_layout(const char *base)
{
    static const char *const beginnings[] = {"/", "./", "../", "oci:"};
    for (size_t i = 0; i < ARRAY_COUNT(beginnings); i++) {
        if (strncmp(base, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    }
    return false;
}
