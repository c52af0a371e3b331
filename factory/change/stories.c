/* SPDX-License-Identifier: Apache-2.0 */
#include "change/stories.h"

#include "change/packaged.h"

#include <assert.h>

#define STORY_MAX_BYTES ((size_t)8 << 20)
#define STORIES_MAX_BYTES ((size_t)48 << 20)
#define PACKAGE_FETCH_MAX_BYTES ((uint64_t)256 << 20)
#define FETCHES_MAX 500u
#define FAILURES_MAX 3u
#define HOPS_MAX 4 /* from a package to the one whose changelog it has */

/* A source whose packages changed in one image, and how. */
struct upgrade {
    const char *source, *before, *after; /* versions of the source, or of the packages when these differ alone */
    bool is_back;
    LIST(const struct package_change *) packages;
};

struct upgrades {
    struct upgrade *items;
    size_t count, capacity;
};

static const char *source_name(const struct bill_package *package)
{
    return package->source_package ? package->source_package : package->name;
}

/* Of a rebuild without changes the source's version stays. */
static bool is_rebuilt(const struct package_change *change)
{
    return text_same(change->before->source_version, change->after->source_version);
}

static const char *version_of(const struct package_change *change, const struct bill_package *package)
{
    return is_rebuilt(change) || !package->source_version ? package->version : package->source_version;
}

/* The newer of the two packages, whose changelog tells; and the older one. */
static const struct bill_package *newer_of(const struct upgrade *upgrade, const struct package_change *change)
{
    return upgrade->is_back ? change->before : change->after;
}

static const struct bill_package *older_of(const struct upgrade *upgrade, const struct package_change *change)
{
    return upgrade->is_back ? change->after : change->before;
}

static const char *key_of(struct arena *arena, const struct upgrade *upgrade)
{
    return arena_printf(arena, "%s\n%s\n%s", upgrade->source, upgrade->before, upgrade->after);
}

/* Puts a change to those of its source. */
static void add_upgrade(struct arena *arena, struct map *by_key, struct upgrades *upgrades,
                        const struct package_change *change)
{
    const struct format *format = packaged_format(change->after);
    struct upgrade upgrade = {.source = source_name(change->after),
                              .before = version_of(change, change->before),
                              .after = version_of(change, change->after)};
    upgrade.is_back = format && format->compare_versions(upgrade.after, upgrade.before) < 0;
    const char *key = key_of(arena, &upgrade);
    size_t *known = map_get(by_key, text_of(key));
    if (!known) {
        known = arena_new(arena, size_t);
        *known = upgrades->count;
        (void)map_add(by_key, text_of(key), known);
        list_add(arena, upgrades, upgrade);
    }
    assert(upgrades->items);
    list_add(arena, &upgrades->items[*known].packages, change);
}

/* --- reading one --- */

/* A story under work. */
struct telling {
    struct stories *stories;
    const struct change *change;
    const struct upgrade *upgrade;
    struct story *story;
};

/* Gets the package's file into the store, verified by its digest. */
static bool fetch(struct stories *stories, const struct bill_package *package, struct err *err)
{
    const char *urls[] = {package->url};
    struct text url = text_of(package->url);
    if (!stories->http || !(text_has_prefix(url, "http://") || text_has_prefix(url, "https://"))) {
        err_set(err, ERR_LOCAL, "package %s %s is not in the cache", package->name, package->version);
        return false;
    }
    if (stories->fetch_count >= FETCHES_MAX || stories->failed_count >= FAILURES_MAX) {
        err_set(err, ERR_LOCAL, "package %s %s is not in the cache, and %s", package->name, package->version,
                stories->fetch_count >= FETCHES_MAX ? "enough others were fetched" : "others could not be fetched");
        return false;
    }
    stories->fetch_count++;
    if (package->size_bytes > PACKAGE_FETCH_MAX_BYTES) {
        err_set(err, ERR_LOCAL, "package %s %s is too big to be fetched for its changelog (%s)", package->name,
                package->version, text_size(package->size_bytes).chars);
        return false;
    }
    struct http_request request = {.urls = urls,
                                   .url_count = 1,
                                   .cap_bytes = PACKAGE_FETCH_MAX_BYTES,
                                   .is_size_known = true,
                                   .size_bytes = package->size_bytes,
                                   .is_digest_known = true,
                                   .digest = package->digest,
                                   .is_tried_once = true,
                                   .store = stories->store};
    http_send(stories->http, &request);
    bool is_good = http_wait(stories->http, &request);
    if (!is_good)
        *err = request.err;
    stories->failed_count += !is_good && request.status == 0; /* nobody answers: not for each of them */
    buf_done(&request.body);
    return is_good;
}

/* Reads out of one package; *ret_other is set when its changelog is another's. */
static bool read_from(struct telling *telling, const struct bill_package *package, const char **ret_other,
                      struct err *err)
{
    struct stories *stories = telling->stories;
    const struct upgrade *upgrade = telling->upgrade;
    const struct package_change *change = upgrade->packages.items[0];
    const struct bill_package *older = older_of(upgrade, change);
    const struct format *format = packaged_format(package);
    const struct change_side *side = upgrade->is_back ? telling->change->before : telling->change->after;
    bool is_installed = !packaged_has_digest(package) && side->installed && side->installed->format == format;
    if (!format || (!packaged_has_digest(package) && !is_installed)) {
        err_set(err, ERR_LOCAL, "of package %s %s no file is known", package->name, package->version);
        return false;
    }
    struct package_expect older_expect = packaged_expect(older, format);
    size_t left = STORIES_MAX_BYTES - stories->text_bytes;
    struct changelog_request request = {.store = stories->store,
                                        .expect = packaged_expect(package, format),
                                        .since_version = older->version,
                                        .since_source_version = older->source_version,
                                        .older = packaged_has_digest(older) ? &older_expect : NULL,
                                        .ground = is_installed ? &side->ground : NULL,
                                        .installed = side->installed,
                                        .cap_bytes = left < STORY_MAX_BYTES ? left : STORY_MAX_BYTES};
    struct changelog *changelog = &telling->story->changelog;
    bool is_found;
    if (!format->changelog(&stories->arena, &request, changelog, &is_found, err) ||
        (!is_found &&
         (!fetch(stories, package, err) || !format->changelog(&stories->arena, &request, changelog, &is_found, err))))
        return false;
    if (!is_found)
        err_set(err, ERR_LOCAL, "package %s %s went from the cache", package->name, package->version);
    *ret_other = changelog->elsewhere;
    return is_found;
}

/* Reads out of a package, or of the one whose changelog it has. */
static bool read_through(struct telling *telling, const struct bill_package *package, struct err *err)
{
    const struct change_side *side = telling->upgrade->is_back ? telling->change->before : telling->change->after;
    for (size_t i = 0; i < HOPS_MAX; i++) {
        const char *other, *name = package->name;
        if (!read_from(telling, package, &other, err))
            return false;
        if (!other)
            return true;
        package = bill_find_package(side->bill, other);
        package = package || !side->told ? package : bill_find_package(side->told, other);
        if (!package) {
            err_set(err, ERR_LOCAL, "the changelog of package %s is that of %s, which is not of the selection", name,
                    other);
            return false;
        }
    }
    err_set(err, ERR_MALFORMED, "the changelog of package %s is that of another one, and so on", package->name);
    return false;
}

/* The order in which packages are tried: what is in the cache, then by size. */
static const struct bill_package *next_package(const struct telling *telling, bool *tried)
{
    const struct upgrade *upgrade = telling->upgrade;
    const struct bill_package *best = NULL;
    size_t best_at = 0;
    bool is_best_here = false;
    for (size_t i = 0; i < upgrade->packages.count; i++) {
        const struct bill_package *package = newer_of(upgrade, upgrade->packages.items[i]);
        bool is_package_here = !tried[i] && packaged_is_here(telling->stories->store, package);
        if (tried[i] || (best && is_best_here && !is_package_here) ||
            (best && is_best_here == is_package_here && package->size_bytes >= best->size_bytes))
            continue;
        best = package;
        best_at = i;
        is_best_here = is_package_here;
    }
    if (best)
        tried[best_at] = true;
    return best;
}

/* How many packages of one source are tried. */
#define TRIES_MAX 3

static void read_story(struct telling *telling)
{
    struct story *story = telling->story;
    struct stories *stories = telling->stories;
    struct arena *arena = &stories->arena;
    bool *tried = arena_new_array(arena, bool, telling->upgrade->packages.count);
    const struct bill_package *package;
    if (!stories->store) {
        story->why_not = "there is no cache";
        return;
    }
    for (size_t i = 0; !story->is_read && i < TRIES_MAX && (package = next_package(telling, tried)) != NULL; i++) {
        struct err err = {0};
        story->is_read = read_through(telling, package, &err);
        if (!story->is_read && !story->why_not)
            story->why_not = arena_strdup(arena, err.text);
    }
    stories->text_bytes += story->changelog.text_bytes;
    for (size_t i = 0; story->is_read && i < story->changelog.entries.count; i++)
        picks_take(arena, text_of(story->changelog.entries.items[i].text), &story->picks);
}

static const struct story *story_of(struct stories *stories, const struct change *change, const struct upgrade *upgrade)
{
    struct arena *arena = &stories->arena;
    stories->known.arena = arena;
    const char *key = key_of(arena, upgrade);
    struct story *story = map_get(&stories->known, text_of(key));
    if (story)
        return story;
    story = arena_new(arena, struct story);
    *story = (struct story){.source = arena_strdup(arena, upgrade->source),
                            .before = arena_strdup(arena, upgrade->before),
                            .after = arena_strdup(arena, upgrade->after),
                            .is_back = upgrade->is_back,
                            .picks.seen.arena = arena};
    (void)map_add(&stories->known, text_of(key), story);
    struct telling telling = {stories, change, upgrade, story};
    read_story(&telling);
    return story;
}

void stories_tell(struct arena *arena, struct stories *stories, struct change *change)
{
    struct arena scratch = {0};
    struct map by_key = {.arena = &scratch};
    struct upgrades upgrades = {0};
    for (size_t i = 0; i < change->packages.count; i++) {
        const struct package_change *found = &change->packages.items[i];
        if (found->kind == CHANGE_CHANGED && strcmp(found->before->version, found->after->version) != 0)
            add_upgrade(&scratch, &by_key, &upgrades, found);
    }
    for (size_t i = 0; i < upgrades.count; i++) {
        struct change_story told = {.story = story_of(stories, change, &upgrades.items[i])};
        for (size_t j = 0; j < upgrades.items[i].packages.count; j++)
            list_add(arena, &told.packages, upgrades.items[i].packages.items[j]->after->name);
        list_add(arena, &change->stories, told);
    }
    arena_done(&scratch);
}

bool stories_are_given(const struct change *change, const struct strings *packages)
{
    for (size_t i = 0; i < change->packages.count; i++) {
        const struct package_change *package = &change->packages.items[i];
        if (package->has_given && strings_has(packages, change_package(package)->name))
            return true;
    }
    return change->is_known && !packages->count;
}

void stories_done(struct stories *stories)
{
    arena_done(&stories->arena);
    *stories = (struct stories){0};
}
