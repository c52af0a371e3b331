/* What one can do to a source once it was read. */
#include "source/source.h"

#include "source/entry.h"

const struct repository *source_main_repository(const struct source *source)
{
    const struct repository *found = NULL;
    for (size_t i = 0; i < source->repositories.count; i++) {
        const struct repository *repository = &source->repositories.items[i];
        if (!strings_has(&repository->components, "main"))
            continue;
        if (!repository->is_optional)
            return repository;
        if (!found)
            found = repository;
    }
    return found || !source->repositories.count ? found : &source->repositories.items[0];
}

bool source_replace_suites(struct arena *arena, struct source *source, const char *suites, struct err *err)
{
    const struct repository *main = source_main_repository(source);
    if (!main) {
        err_set(err, ERR_USAGE, "source %s has no repository whose suite could be replaced", source->name);
        return false;
    }
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
        .is_mirror_group = true,
    };
    list_add(arena, &entry.types, "deb");
    entry_words(arena, text_of(suites), true, &entry.suites);
    struct source replaced = {.kind = source->kind, .name = source->name};
    if (!entry_expand(arena, &entry, &main->keyrings, &replaced, err))
        return false;
    *source = replaced;
    return true;
}
