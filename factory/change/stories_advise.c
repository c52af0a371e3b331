/* SPDX-License-Identifier: Apache-2.0 */
#include "change/stories.h"

#include "change/packaged.h"

/* Repositories of an image that are asked; real ones have a few. */
#define REPOSITORIES_MAX ((size_t)200)

/* What was read of one repository, or why it could not be. */
struct advised {
    struct advisories advisories;
    const char *why_not;
};

/* Reads those of one repository, once. `wanted_key` names what is looked for. */
static const struct advised *advised_of(struct stories *stories, const struct format *format,
                                        const struct bill_repository *repository, const struct map *wanted,
                                        const char *wanted_key)
{
    struct arena *arena = &stories->arena;
    stories->advised.arena = arena;
    const char *key = arena_printf(arena, "%s %s", digest_hex(&repository->digest).chars, wanted_key);
    struct advised *advised = map_get(&stories->advised, text_of(key));
    struct advisory_request request = {.store = stories->store,
                                       .http = stories->metadata_http,
                                       .uri = repository->uri,
                                       .metadata = repository->digest,
                                       .wanted = wanted};
    struct err err = {0};
    if (advised)
        return advised;
    advised = arena_new(arena, struct advised);
    if (!format->advisories(arena, &request, &advised->advisories, &err)) {
        advised->advisories = (struct advisories){0};
        advised->why_not = arena_strdup(arena, err.text);
    }
    (void)map_add(&stories->advised, text_of(key), advised);
    return advised;
}

/* Lists the packages that went to a newer version, and gives their format; NULL when no advisories are of it. */
static const struct format *list_wanted(struct arena *arena, const struct change *change, struct map *wanted,
                                        const char **ret_key)
{
    const struct format *found = NULL;
    struct strings key = {0};
    for (size_t i = 0; i < change->packages.count; i++) {
        const struct package_change *package = &change->packages.items[i];
        const struct format *format = package->kind == CHANGE_CHANGED ? packaged_format(package->after) : NULL;
        if (!format || !format->advisories ||
            format->compare_versions(package->before->version, package->after->version) >= 0)
            continue;
        struct advisory_package *item = arena_new(arena, struct advisory_package);
        *item = (struct advisory_package){package->after->name, package->before->version, package->after->version};
        (void)map_add(wanted, text_of(item->name), item);
        list_add(arena, &key, arena_printf(arena, "%s %s %s", item->name, item->before, item->after));
        found = format;
    }
    const char *joined = strings_join(arena, &key, "\n");
    struct digest digest = digest_of(joined, strlen(joined));
    *ret_key = arena_strdup(arena, digest_hex(&digest).chars);
    return found;
}

static void add_advisory(struct arena *arena, struct change *change, const struct advisory *advisory)
{
    for (size_t i = 0; i < change->advisories.count; i++) {
        if (strcmp(change->advisories.items[i].id, advisory->id) == 0)
            return;
    }
    list_add(arena, &change->advisories, *advisory);
}

void stories_advise(struct arena *arena, struct stories *stories, struct change *change)
{
    const struct bill *bill = change->after->told ? change->after->told : change->after->bill;
    struct arena scratch = {0};
    struct map wanted = {.arena = &scratch};
    const char *key;
    const struct format *format = list_wanted(&stories->arena, change, &wanted, &key);
    for (size_t i = 0;
         format && stories->store && bill->source && i < bill->source->repositories.count && i < REPOSITORIES_MAX;
         i++) {
        const struct bill_repository *repository = &bill->source->repositories.items[i];
        const struct advised *advised = advised_of(stories, format, repository, &wanted, key);
        for (size_t j = 0; j < advised->advisories.count; j++)
            add_advisory(arena, change, &advised->advisories.items[j]);
        if (advised->why_not)
            change_note(
                arena, change,
                arena_printf(&scratch, "the advisories of %s were not read: %s", repository->name, advised->why_not));
    }
    arena_done(&scratch);
}
