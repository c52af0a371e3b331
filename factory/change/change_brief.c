/* SPDX-License-Identifier: Apache-2.0 */
#include "change/change_brief.h"

#include "base/map.h"
#include "change/stories.h"

#define CVES_SHOWN_MAX ((size_t)6)

/* A line, and the platforms that it is of. */
struct brief_line {
    const char *text;
    bool is_of_platform; /* it names it */
    struct strings platforms;
};

struct brief {
    struct arena *arena;
    LIST(struct brief_line *) lines;
    struct map by_text;
};

static const char *platform_of(const struct change *change)
{
    const struct change_side *side = change->after ? change->after : change->before;
    return side && side->platform ? side->platform : "no platform";
}

static struct brief_line *add_line(struct brief *brief, const char *text, bool is_of_platform)
{
    struct brief_line *line = arena_new(brief->arena, struct brief_line);
    *line = (struct brief_line){.text = text, .is_of_platform = is_of_platform};
    list_add(brief->arena, &brief->lines, line);
    return line;
}

static void add(struct brief *brief, const struct change *change, const char *text)
{
    struct brief_line *line = map_get(&brief->by_text, text_of(text));
    if (!line) {
        line = add_line(brief, text, false);
        (void)map_add(&brief->by_text, text_of(text), line);
    }
    if (!strings_has(&line->platforms, platform_of(change)))
        list_add(brief->arena, &line->platforms, platform_of(change));
}

/* The numbers that a changelog names, as far as they have room. */
static const char *cves_of(struct arena *arena, const struct strings *cves)
{
    struct strings first = *cves;
    first.count = first.count < CVES_SHOWN_MAX ? first.count : CVES_SHOWN_MAX;
    if (!cves->count)
        return "";
    const char *shown = strings_join(arena, &first, " ");
    if (cves->count == first.count)
        return arena_printf(arena, "  %s", shown);
    return arena_printf(arena, "  %s and %zu more", shown, cves->count - first.count);
}

static void add_stories(struct brief *brief, const struct change *change)
{
    struct arena *arena = brief->arena;
    for (size_t i = 0; i < change->stories.count; i++) {
        const struct change_story *told = &change->stories.items[i];
        const struct story *story = told->story;
        if (stories_are_given(change, &told->packages))
            add(brief, change,
                arena_printf(arena, "%s %s → %s%s%s", text_shown(arena, story->source),
                             text_shown(arena, story->before), text_shown(arena, story->after),
                             story->is_back ? " (older)" : "", cves_of(arena, &story->picks.cves)));
    }
}

/* Those that came or went, and of the others those of which no story is told: they have one version, and other bytes. */
static void add_package(struct brief *brief, const struct change *change, const struct package_change *package)
{
    struct arena *arena = brief->arena;
    const struct bill_package *of = change_package(package);
    const char *name = text_shown(arena, of->name), *version = text_shown(arena, of->version);
    if (package->kind != CHANGE_CHANGED)
        add(brief, change, arena_printf(arena, "%c %s %s", package->kind == CHANGE_CAME ? '+' : '-', name, version));
    else if (strcmp(package->before->version, package->after->version) == 0)
        add(brief, change, arena_printf(arena, "%s %s  (other bytes)", name, version));
}

/* What differs where no package does. */
static void add_rest(struct brief *brief, const struct change *change)
{
    struct strings parts = {0};
    if (change->values.count)
        list_add(brief->arena, &parts, "configuration");
    if (change->files.count)
        list_add(brief->arena, &parts,
                 arena_printf(brief->arena, "%zu file%s", change->files.count, change->files.count > 1 ? "s" : ""));
    if (parts.count)
        add(brief, change, strings_join(brief->arena, &parts, ", "));
    else
        add(brief, change, change->is_known ? "the same files, otherwise packed" : "not known in what");
}

static void add_change(struct brief *brief, const struct change *change)
{
    size_t before = brief->lines.count;
    if (change_is_none(change))
        return;
    if (!change->before || !change->after) {
        const char *platform = text_shown(brief->arena, platform_of(change));
        (void)add_line(brief, arena_printf(brief->arena, "%s %s", platform, change->after ? "came" : "went"), true);
        return;
    }
    add_stories(brief, change);
    bool is_any = brief->lines.count > before || change->stories.count;
    for (size_t i = 0; i < change->packages.count; i++) {
        if (!change->packages.items[i].has_given)
            continue;
        add_package(brief, change, &change->packages.items[i]);
        is_any = true;
    }
    if (!is_any)
        add_rest(brief, change);
}

struct strings change_brief(struct arena *arena, const struct change *changes, size_t count)
{
    struct brief brief = {.arena = arena, .by_text.arena = arena};
    struct strings lines = {0};
    for (size_t i = 0; i < count; i++)
        add_change(&brief, &changes[i]);
    size_t shown = brief.lines.count > BRIEF_LINES_MAX ? BRIEF_LINES_MAX - 1 : brief.lines.count;
    for (size_t i = 0; i < shown; i++) {
        const struct brief_line *line = brief.lines.items[i];
        bool is_of_all = line->is_of_platform || line->platforms.count == count;
        list_add(arena, &lines,
                 is_of_all ? line->text
                           : arena_printf(arena, "%s  (%s)", line->text,
                                          text_shown(arena, strings_join(arena, &line->platforms, " "))));
    }
    if (shown < brief.lines.count)
        list_add(arena, &lines, arena_printf(arena, "… and %zu more", brief.lines.count - shown));
    return lines;
}
