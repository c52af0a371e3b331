/* SPDX-License-Identifier: Apache-2.0 */
/* What one can do to a source once it was read. */
#include "deb/deb_source.h"

#include "deb/entry.h"
#include "source/config_files.h"

struct repository deb_repository_known(const struct deb_repository *repository)
{
    return (struct repository){.name = repository->name,
                               .uri = repository->uris.items[0],
                               .suite = repository->suite,
                               .place = repository->place,
                               .max_age_days = repository->max_age_days,
                               .is_trusted = repository->is_trusted,
                               .is_valid_until_ignored = repository->is_valid_until_ignored,
                               .is_optional = repository->is_optional};
}

const struct deb_repository *deb_source_main(const struct deb_source *source)
{
    const struct deb_repository *found = NULL;
    for (size_t i = 0; i < source->repositories.count; i++) {
        const struct deb_repository *repository = &source->repositories.items[i];
        if (!strings_has(&repository->components, "main"))
            continue;
        if (!repository->is_optional)
            return repository;
        if (!found)
            found = repository;
    }
    return found || !source->repositories.count ? found : &source->repositories.items[0];
}

bool deb_source_replace_suites(struct arena *arena, struct deb_source *source, const char *suites, struct err *err)
{
    const struct deb_repository *main = deb_source_main(source);
    struct entry entry = {
        .place = arena_printf(arena, "%s, with suites \"%s\"", main->place, suites),
        .uris = main->uris,
        .components = main->components,
        .architectures = main->architectures,
        .keyrings = main->keyrings,
        .inline_keys = main->inline_keys,
        .fingerprints = main->fingerprints,
        .is_trusted = main->is_trusted,
        .is_valid_until_ignored = main->is_valid_until_ignored,
        .is_by_hash_off = main->is_by_hash_off,
        .max_age_days = main->max_age_days,
        .snapshot = main->snapshot,
        .is_mirror_group = true,
    };
    list_add(arena, &entry.types, "deb");
    config_words(arena, text_of(suites), true, &entry.suites);
    struct deb_source replaced = {.pins = source->pins};
    replaced.pins.default_release = NULL;
    if (!entry_expand(arena, &entry, &main->keyrings, &replaced, err))
        return false;
    *source = replaced;
    return true;
}
