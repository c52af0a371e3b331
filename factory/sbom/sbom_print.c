/* SPDX-License-Identifier: Apache-2.0 */
#include "sbom/sbom_print.h"

static int add_bytes(const char *bytes, size_t len, void *text)
{
    return buf_add(text, bytes, len) ? 0 : -1;
}

bool sbom_print(struct arena *arena, const struct sbom *sbom, enum sbom_format format, struct buf *text)
{
    json_auto_t *document =
        format == SBOM_SPDX ? sbom_spdx(arena, sbom) : sbom_cyclonedx(arena, sbom, format == SBOM_CYCLONEDX_1_5);
    return json_dump_callback(document, add_bytes, text, JSON_COMPACT) == 0 && buf_add(text, "\n", 1);
}

const struct bill_repository *sbom_repository_of(const struct sbom *sbom, const struct sbom_package *package)
{
    const struct bill_source *source = sbom->bill ? sbom->bill->source : NULL;
    for (size_t i = 0; source && package->from->repository && i < source->repositories.count; i++) {
        if (strcmp(source->repositories.items[i].name, package->from->repository) == 0)
            return &source->repositories.items[i];
    }
    return NULL;
}

const char *sbom_url(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "ftp://", "file://"};
    for (size_t i = 0; url && i < ARRAY_COUNT(schemes); i++) {
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0 && !strpbrk(url, " \t\"<>\\^`{|}"))
            return url;
    }
    return NULL;
}
