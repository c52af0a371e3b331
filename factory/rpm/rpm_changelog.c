/* SPDX-License-Identifier: Apache-2.0 */
#include "rpm/rpm_changelog.h"

#include "base/auto.h"
#include "base/map.h"
#include "rpm/rpm_archive.h"
#include "rpm/rpm_installed.h"
#include "rpm/rpm_tags.h"
#include "rpm/rpm_version.h"

#include <ctype.h>
#include <inttypes.h>

/* The three tags of one header. */
struct tags {
    struct rpm_numbers times;
    struct strings names, texts;
};

/* A package in the store, its bytes and changelog. */
struct opened {
    struct view view;
    struct tags tags;
};

static bool take_tags(struct arena *arena, const struct rpm_header *header, struct tags *ret_tags, struct err *err)
{
    if (!rpm_header_numbers(arena, header, RPM_TAG_CHANGELOGTIME, &ret_tags->times, err) ||
        !rpm_header_strings(arena, header, RPM_TAG_CHANGELOGNAME, &ret_tags->names, err) ||
        !rpm_header_strings(arena, header, RPM_TAG_CHANGELOGTEXT, &ret_tags->texts, err))
        return false;
    if (ret_tags->times.count == ret_tags->names.count && ret_tags->times.count == ret_tags->texts.count)
        return true;
    err_set(err, ERR_MALFORMED, "its changelog has %zu times, %zu names and %zu texts", ret_tags->times.count,
            ret_tags->names.count, ret_tags->texts.count);
    return false;
}

static bool read_tags(struct arena *arena, struct text rpm, struct tags *ret_tags, struct err *err)
{
    struct rpm_archive archive;
    struct rpm_header header;
    return rpm_archive_read(arena, rpm, &archive, err) &&
           rpm_header_read(arena, archive.header, RPM_HEADER_MAIN, &header, err) &&
           take_tags(arena, &header, ret_tags, err);
}

/* Reads the header that an image's own database has. */
static bool read_installed(struct arena *arena, const struct changelog_request *request, struct tags *ret_tags,
                           struct err *err)
{
    const struct rpm_installed *database = request->installed->database;
    const struct package_expect *expect = &request->expect;
    for (size_t i = 0; i < database->packages.count; i++) {
        const struct rpm_installed_package *package = &database->packages.items[i];
        if (strcmp(package->name, expect->name) == 0 && strcmp(package->evr, expect->version) == 0)
            return take_tags(arena, &package->header, ret_tags, err);
    }
    err_set(err, ERR_RESOLVE, "the image has no package %s %s", expect->name, expect->version);
    return false;
}

static bool open_stored(struct arena *arena, const struct changelog_request *request,
                        const struct package_expect *expect, struct opened *opened, bool *ret_found, struct err *err)
{
    if (!store_map_blob(request->store, &expect->digest, &opened->view, ret_found, err))
        return false;
    return !*ret_found || read_tags(arena, (struct text){opened->view.ptr, opened->view.len}, &opened->tags, err);
}

static void close_opened(struct opened *opened)
{
    view_done(&opened->view);
}

static bool is_version(const char *word)
{
    size_t len = strlen(word);
    return len && len <= 255 && strpbrk(word, "0123456789") && isalnum((unsigned char)word[0]) &&
           !strpbrk(word, "<>@/()");
}

const char *rpm_changelog_version(struct arena *arena, const char *name)
{
    const char *end = strrchr(name, '>'), *rest = end ? end + 1 : strrchr(name, ' ');
    struct text text = text_of(rest ? rest : ""), word;
    const char *found = NULL;
    while (text_next_word(&text, &word)) {
        const char *copy = text_dup(arena, word);
        copy += *copy == '-' || *copy == '[' ? 1 : 0;
        copy = arena_strndup(arena, copy, strcspn(copy, "]"));
        if (is_version(copy))
            found = copy;
    }
    return found;
}

/* What makes two entries one. */
static struct text key_of(struct arena *arena, const struct tags *tags, size_t at)
{
    return text_of(
        arena_printf(arena, "%" PRIu64 " %s\n%s", tags->times.items[at], tags->names.items[at], tags->texts.items[at]));
}

/* Takes what the older header has not. */
static void take_others(struct arena *arena, const struct changelog_request *request, const struct tags *tags,
                        const struct tags *older, struct changelog *changelog)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map known = {.arena = &scratch};
    for (size_t i = 0; i < older->names.count; i++)
        (void)map_add(&known, key_of(&scratch, older, i), &known);
    for (size_t i = 0; i < tags->names.count; i++) {
        if (map_get(&known, key_of(&scratch, tags, i)))
            continue;
        struct changelog_entry entry = {.version = rpm_changelog_version(arena, tags->names.items[i]),
                                        .time = (int64_t)tags->times.items[i]};
        if (!changelog_add(arena, request, &entry, text_of(tags->texts.items[i]), changelog))
            return;
    }
}

/* Takes what stands above the first version that is not newer. */
static void take_newer(struct arena *arena, const struct changelog_request *request, const struct tags *tags,
                       struct changelog *changelog)
{
    for (size_t i = 0; i < tags->names.count; i++) {
        struct changelog_entry entry = {.version = rpm_changelog_version(arena, tags->names.items[i]),
                                        .time = (int64_t)tags->times.items[i]};
        if (entry.version && rpm_version_compare(entry.version, request->since_version) <= 0)
            return;
        if (!changelog_add(arena, request, &entry, text_of(tags->texts.items[i]), changelog))
            return;
    }
    changelog->is_all = true;
}

bool rpm_changelog(struct arena *arena, const struct changelog_request *request, struct changelog *ret_changelog,
                   bool *ret_found, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(close_opened) struct opened newer = {0}, older = {0};
    bool has_older = false;
    *ret_changelog = (struct changelog){0};
    *ret_found = true;
    if ((request->ground ? !read_installed(&scratch, request, &newer.tags, err)
                         : !open_stored(&scratch, request, &request->expect, &newer, ret_found, err)) ||
        (*ret_found && request->older && !open_stored(&scratch, request, request->older, &older, &has_older, err)))
        return false;
    if (*ret_found && has_older)
        take_others(arena, request, &newer.tags, &older.tags, ret_changelog);
    else if (*ret_found)
        take_newer(arena, request, &newer.tags, ret_changelog);
    return true;
}
