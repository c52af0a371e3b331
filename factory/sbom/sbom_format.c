/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of the documents. */
#include "sbom/sbom_print.h"

const char *const sbom_format_names[] = {
    [SBOM_SPDX] = "spdx", [SBOM_CYCLONEDX_1_6] = "cyclonedx", [SBOM_CYCLONEDX_1_5] = "cyclonedx-1.5", NULL};

bool sbom_find_format(const char *name, enum sbom_format *ret_format)
{
    for (size_t i = 0; sbom_format_names[i]; i++) {
        if (strcmp(sbom_format_names[i], name) == 0) {
            *ret_format = (enum sbom_format)i;
            return true;
        }
    }
    return false;
}

const char *sbom_file_ending(enum sbom_format format)
{
    return format == SBOM_SPDX ? "spdx.json" : "cdx.json";
}

bool sbom_print(struct arena *arena, const struct sbom *sbom, enum sbom_format format, struct buf *text)
{
    return (format == SBOM_SPDX ? sbom_spdx(arena, sbom, text)
                                : sbom_cyclonedx(arena, sbom, format == SBOM_CYCLONEDX_1_5, text)) &&
           buf_add(text, "\n", 1);
}
