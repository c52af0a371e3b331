/* SPDX-License-Identifier: Apache-2.0 */
/* releases_get() of deb_catalog.h: all Releases of a source at once. */
#include "deb/deb_catalog.h"

#include "base/auto.h"
#include "base/each.h"
#include "trust/release_state.h"

struct getting {
    const struct deb_repository *repository;
    struct pin_wish wish;
    struct arena arena; /* its own: an arena belongs to one thread at a time */
    struct release *release;
};

typedef LIST(struct getting) getting_list;

static bool get_one(void *context, void *item, struct err *err)
{
    const struct source_env *env = context;
    struct getting *getting = item;
    return release_get(env, &getting->arena, getting->repository, getting->wish, &getting->release, err);
}

static void copy_strings(struct arena *arena, struct strings *strings)
{
    struct strings copy = {0};
    for (size_t i = 0; i < strings->count; i++)
        list_add(arena, &copy, arena_strdup(arena, strings->items[i]));
    *strings = copy;
}

/* Copies a Release out of its thread's arena into the caller's. Every pointer of struct release is renewed here. */
static struct release *copy_release(struct arena *arena, const struct release *release)
{
    struct release *copy = arena_new(arena, struct release);
    *copy = *release;
    const char **texts[] = {&copy->uri,      &copy->dir,     &copy->origin,    &copy->label,    &copy->suite,
                            &copy->codename, &copy->version, &copy->signed_by, &copy->mark.from};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        *texts[i] = arena_strdup(arena, *texts[i]);
    for (size_t i = 0; i < RELEASE_NAMES_COUNT; i++)
        copy->mark.names.values[i] = arena_strdup(arena, copy->mark.names.values[i]);
    copy_strings(arena, &copy->architectures);
    copy_strings(arena, &copy->components);
    copy_strings(arena, &copy->uris);
    copy->files = (struct map){.arena = arena};
    for (size_t i = 0; i < release->files.slots.count; i++) {
        const struct map_slot *slot = &release->files.slots.items[i];
        struct release_file *file = arena_new(arena, struct release_file);
        *file = *(const struct release_file *)slot->value;
        (void)map_add(&copy->files, (struct text){text_dup(arena, slot->key), slot->key.len}, file);
    }
    return copy;
}

/* Says once that there was nothing to compare with: where a state was lost, a replay would go unnoticed. */
static void tell_first_use(struct arena *arena, const struct source_env *env, const struct releases *releases)
{
    struct strings names = {0};
    for (size_t i = 0; i < releases->count; i++) {
        if (releases->items[i]->is_first_use)
            list_add(arena, &names, releases->items[i]->repository->name);
    }
    release_tell_first_use(arena, env, &names);
}

/* Adds what is wanted of a repository: where a lock names several generations each, and at an update of packages the newest. */
static void add_gettings(const struct source_env *env, struct arena *arena, const struct deb_repository *repository,
                         getting_list *gettings)
{
    const char *uri = env->pins ? source_public_uri(arena, repository->uris.items[0]) : NULL;
    const struct pin *base = uri ? pins_find(env->pins, uri, repository->suite) : NULL, *extra = NULL;
    list_add(arena, gettings, (struct getting){.repository = repository});
    while (uri && (extra = pins_next_extra(env->pins, uri, repository->suite, extra)) != NULL)
        list_add(arena, gettings, ((struct getting){.repository = repository, .wish.pin = extra}));
    if (base && !base->is_left_out && env->pins->has_newest)
        list_add(arena, gettings, ((struct getting){.repository = repository, .wish.is_newest = true}));
}

/* The repository as messages and reports name it when a generation is not its only one. */
static const struct deb_repository *name_extra(struct arena *arena, const struct release *release)
{
    struct deb_repository *named = arena_new(arena, struct deb_repository);
    *named = *release->repository;
    named->name = pin_extra_name(arena, named->name, release->date);
    return named;
}

/* Collects what the threads brought. */
static bool collect(const struct source_env *env, struct arena *arena, const struct source *source,
                    const getting_list *list, struct releases *releases, struct err *err)
{
    const struct getting *gettings = list->items;
    size_t count = list->count;
    for (size_t i = 0; i < count; i++) {
        const struct deb_repository *repository = gettings[i].repository;
        if (!gettings[i].release) {
            struct pin absent = {.uri = source_public_uri(arena, repository->uris.items[0]),
                                 .suite = repository->suite,
                                 .is_left_out = true};
            list_add(arena, &releases->left_out, repository->name);
            list_add(arena, &releases->absent, absent);
            continue;
        }
        struct release *release = copy_release(arena, gettings[i].release);
        if (gettings[i].wish.pin || gettings[i].wish.is_newest)
            release->repository = name_extra(arena, release);
        release->is_extra = gettings[i].wish.pin || gettings[i].wish.is_newest;
        releases->items[releases->count++] = release;
        if (!release->signed_by)
            list_add(arena, &releases->trusted, release->repository->name);
    }
    if (releases->count) {
        tell_first_use(arena, env, releases);
        return true;
    }
    err_set(err, ERR_NETWORK, "%s: none of its %zu repositories could be reached", source->name, count);
    return false;
}

/* As apt, refuses a release that none of the repositories is. One that could not be reached might be it. */
static bool check_default(const struct releases *releases, struct err *err)
{
    const struct deb_pins *pins = &deb_source_of(releases->source)->pins;
    if (!pins->default_release || releases->left_out.count)
        return true;
    for (size_t i = 0; i < releases->count; i++) {
        const struct release *release = releases->items[i];
        const struct deb_pin_index index = {
            .archive = release->suite, .codename = release->codename, .version = release->version};
        if (deb_pins_is_default(pins, &index))
            return true;
    }
    err_set(
        err, ERR_USAGE,
        "apt's configuration has APT::Default-Release \"%s\", which none of its repositories is (--suite or --source "
        "names others)",
        pins->default_release);
    return false;
}

bool releases_get(const struct source_env *env, struct arena *arena, const struct source *source,
                  struct releases **ret_releases, struct err *err)
{
    const struct deb_source *configured = deb_source_of(source);
    AUTO(arena_done) struct arena scratch = {0};
    getting_list gettings = {0};
    for (size_t i = 0; i < configured->repositories.count; i++)
        add_gettings(env, &scratch, &configured->repositories.items[i], &gettings);
    size_t count = gettings.count;
    struct each_items items = {.items = gettings.items, .count = count, .each_bytes = sizeof *gettings.items};
    bool is_good = each_run(items, get_one, (void *)env, err);
    struct releases *releases = arena_new(arena, struct releases);
    *releases = (struct releases){.source = source, .items = arena_new_array(arena, struct release *, count)};
    is_good = is_good && collect(env, arena, source, &gettings, releases, err) && check_default(releases, err);
    for (size_t i = 0; i < count; i++)
        arena_done(&gettings.items[i].arena);
    if (is_good)
        *ret_releases = releases;
    return is_good;
}
