/* SPDX-License-Identifier: Apache-2.0 */
/* The lines are the same in both forms: a label, a sign, a subject, what was and what is. Only their dress differs. */
#include "change/change_print.h"

#include "base/auto.h"
#include "base/date.h"
#include "change/libraries.h"
#include "change/stories.h"

#define VALUE_SHOWN_MAX 160
#define SYMBOLS_SHOWN_MAX 8
#define STORY_LINES_MAX 40 /* of what a changelog says: --json has all of it */

static const char signs[] = {[CHANGE_CAME] = '+', [CHANGE_WENT] = '-', [CHANGE_CHANGED] = '~'};

/* How lines are dressed. */
struct printing {
    FILE *out;
    bool is_markdown;
};

/* Returns a string that came from outside as it may be shown: in Markdown as a code span. */
static const char *shown(const struct printing *printing, struct arena *arena, const char *string)
{
    char *clean = text_shown(arena, string);
    if (!printing->is_markdown)
        return clean;
    for (char *c = clean; *c; c++)
        *c = *c == '`' ? '\'' : *c;
    return arena_printf(arena, "`%s`", *clean ? clean : " ");
}

/* Prints "  label   ~ subject  rest", rest being ours. */
static void print_line(const struct printing *printing, const char *label, enum change_kind kind, const char *subject,
                       const char *rest)
{
    if (printing->is_markdown)
        (void)fprintf(printing->out, "- %s %c %s%s%s\n", label, signs[kind], subject, *rest ? "  " : "", rest);
    else
        (void)fprintf(printing->out, "  %-12s%c %s%s%s\n", label, signs[kind], subject, *rest ? "  " : "", rest);
}

static const char *from_to(struct arena *arena, const char *before, const char *after)
{
    return !before ? after : !after ? before : arena_printf(arena, "%s → %s", before, after);
}

static void print_package(const struct printing *printing, const struct package_change *change)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct bill_package *package = change_package(change), *old = change->before, *new = change->after;
    const char *name = shown(printing, &scratch, package->name);
    const char *before = old ? shown(printing, &scratch, old->version) : NULL;
    const char *after = new ? shown(printing, &scratch, new->version) : NULL;
    const char *rest = from_to(&scratch, before, after);
    if (old && new &&strcmp(old->architecture, new->architecture) != 0)
        rest = arena_printf(&scratch, "%s  (%s → %s)", rest, shown(printing, &scratch, old->architecture),
                            shown(printing, &scratch, new->architecture));
    else if (old && new &&strcmp(old->version, new->version) == 0)
        rest = arena_printf(&scratch, "%s  (the same version, other bytes)", before);
    print_line(printing, change->has_given ? "package" : "selected", change->kind, name, rest);
}

/* Tells how a file differs: its size, and what is beside the bytes. */
static const char *file_difference(const struct printing *printing, struct arena *arena, const struct bill_file *a,
                                   const struct bill_file *b)
{
    struct strings parts = {0};
    if (a->kind != b->kind)
        list_add(arena, &parts, "another kind of file");
    if (a->size_bytes != b->size_bytes)
        list_add(arena, &parts,
                 arena_printf(arena, "%s → %s", text_size(a->size_bytes).chars, text_size(b->size_bytes).chars));
    else if (!digest_eq(&a->digest, &b->digest))
        list_add(arena, &parts, arena_printf(arena, "%s, other bytes", text_size(a->size_bytes).chars));
    if (a->mode != b->mode)
        list_add(arena, &parts, arena_printf(arena, "mode %04o → %04o", a->mode, b->mode));
    if (a->uid != b->uid || a->gid != b->gid)
        list_add(arena, &parts, arena_printf(arena, "owner %u:%u → %u:%u", a->uid, a->gid, b->uid, b->gid));
    if (a->target && b->target && strcmp(a->target, b->target) != 0)
        list_add(
            arena, &parts,
            arena_printf(arena, "to %s → %s", shown(printing, arena, a->target), shown(printing, arena, b->target)));
    if (!text_same(a->capability, b->capability))
        list_add(arena, &parts, "capabilities");
    return strings_join(arena, &parts, ", ");
}

static void print_file(const struct printing *printing, const struct file_change *change)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct bill_file *file = change->after ? change->after : change->before;
    const char *path = shown(printing, &scratch, file->path), *rest = "";
    if (change->before && change->after)
        rest = file_difference(printing, &scratch, change->before, change->after);
    else if (file->target)
        rest = arena_printf(&scratch, "to %s", shown(printing, &scratch, file->target));
    else if (file->kind == NODE_FILE)
        rest = arena_strdup(&scratch, text_size(file->size_bytes).chars);
    print_line(printing, file->kind == NODE_DIRECTORY ? "directory" : "file", change->kind, path, rest);
}

/* JSON values are ASCII on one line; long ones are cut. */
static const char *value_shown(const struct printing *printing, struct arena *arena, const char *value)
{
    if (!value)
        return NULL;
    size_t len = strlen(value);
    const char *cut = len > VALUE_SHOWN_MAX ? arena_printf(arena, "%.*s…", VALUE_SHOWN_MAX, value) : value;
    return shown(printing, arena, cut);
}

static void print_value(const struct printing *printing, const struct value_change *change)
{
    AUTO(arena_done) struct arena scratch = {0};
    enum change_kind kind = !change->before ? CHANGE_CAME : !change->after ? CHANGE_WENT : CHANGE_CHANGED;
    const char *subject = change->name
                              ? arena_printf(&scratch, "%s %s", change->key, shown(printing, &scratch, change->name))
                              : change->key;
    const char *before = value_shown(printing, &scratch, change->before);
    const char *after = value_shown(printing, &scratch, change->after);
    bool is_item = change->name && text_same(change->before ? change->before : change->after, "true");
    print_line(printing, "config", kind, subject, is_item ? "" : from_to(&scratch, before, after));
}

static void print_ids(const struct printing *printing, const char *label, const struct strings *ids)
{
    AUTO(arena_done) struct arena scratch = {0};
    if (ids->count)
        (void)fprintf(printing->out, printing->is_markdown ? "  - %s %s\n" : "    %-10s%s\n", label,
                      shown(printing, &scratch, strings_join(&scratch, ids, " ")));
}

/* Prints what one entry says, as far as lines are left; returns how many it took. */
static size_t print_entry(const struct printing *printing, const struct changelog_entry *entry, size_t left)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct text rest = text_of(entry->text), line;
    size_t count = 1;
    const char *version = shown(printing, &scratch, entry->version ? entry->version : "-");
    const char *date = entry->time ? arena_printf(&scratch, "  %.10s", date_print(entry->time).chars) : "";
    (void)fprintf(printing->out, printing->is_markdown ? "\n  %s%s\n\n" : "    %s%s\n", version, date);
    for (; count < left && text_next(&rest, '\n', &line);) {
        if (!text_trim(line).len)
            continue;
        const char *clean = text_shown(&scratch, text_dup(&scratch, line));
        (void)fprintf(printing->out, "      %s\n", clean);
        count++;
    }
    return count;
}

static void print_story(const struct printing *printing, const struct change_story *told, bool has_given)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct story *story = told->story;
    const struct changelog *changelog = &story->changelog;
    size_t lines = 0, i = 0;
    const char *rest = arena_printf(
        &scratch, "%s%s%s",
        from_to(&scratch, shown(printing, &scratch, story->before), shown(printing, &scratch, story->after)),
        has_given ? "" : "  (only selected)", story->is_back ? "  (older: what follows went)" : "");
    print_line(printing, "changelog", story->is_back ? CHANGE_WENT : CHANGE_CHANGED,
               shown(printing, &scratch, story->source), rest);
    if (!story->is_read)
        (void)fprintf(printing->out, printing->is_markdown ? "  - not read: %s\n" : "    not read: %s\n",
                      shown(printing, &scratch, story->why_not ? story->why_not : ""));
    print_ids(printing, "CVE", &story->picks.cves);
    print_ids(printing, "advisory", &story->picks.advisories);
    print_ids(printing, "bugs", &story->picks.bugs);
    for (; i < changelog->entries.count && lines < STORY_LINES_MAX; i++)
        lines += print_entry(printing, &changelog->entries.items[i], STORY_LINES_MAX - lines);
    if (lines >= STORY_LINES_MAX || i < changelog->entries.count || changelog->is_cut)
        (void)fprintf(printing->out, printing->is_markdown ? "\n  %s\n" : "    %s\n",
                      changelog->is_cut && i == changelog->entries.count
                          ? "… it has more than is read"
                          : arena_printf(&scratch, "… (%zu versions; --json has all)", changelog->entries.count));
}

/* Names the first of some symbols. */
static const char *symbols_shown(const struct printing *printing, struct arena *arena, const struct strings *symbols,
                                 size_t count)
{
    struct strings first = *symbols;
    first.count = first.count < SYMBOLS_SHOWN_MAX ? first.count : SYMBOLS_SHOWN_MAX;
    return arena_printf(arena, "%s%s", shown(printing, arena, strings_join(arena, &first, " ")),
                        count > first.count ? " …" : "");
}

static void print_library(const struct printing *printing, const struct library_change *change)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct strings parts = {0};
    if (change->went_count)
        list_add(&scratch, &parts,
                 arena_printf(&scratch, "%zu symbols went: %s", change->went_count,
                              symbols_shown(printing, &scratch, &change->symbols_went, change->went_count)));
    if (change->came_count)
        list_add(&scratch, &parts,
                 arena_printf(&scratch, "%zu symbols came: %s", change->came_count,
                              symbols_shown(printing, &scratch, &change->symbols_came, change->came_count)));
    print_line(printing, "library", change->kind, shown(printing, &scratch, change->soname),
               strings_join(&scratch, &parts, "; "));
}

static void print_advisory(const struct printing *printing, const struct advisory *advisory)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *title = advisory->title ? advisory->title : "";
    const char *kind = arena_printf(&scratch, "%s%s%s", advisory->kind ? advisory->kind : "",
                                    advisory->severity ? " " : "", advisory->severity ? advisory->severity : "");
    print_line(printing, "advisory", CHANGE_CAME, shown(printing, &scratch, advisory->id),
               shown(printing, &scratch, arena_printf(&scratch, "%s: %s", kind, title)));
    print_ids(printing, "of", &advisory->packages);
    print_ids(printing, "about", &advisory->references);
}

static const char *size_change(struct arena *arena, uint64_t before, uint64_t after)
{
    if (before == after)
        return arena_strdup(arena, text_size(before).chars);
    return arena_printf(arena, "%s → %s (%c%s)", text_size(before).chars, text_size(after).chars,
                        after > before ? '+' : '-', text_size(after > before ? after - before : before - after).chars);
}

/* The line of the platform: what became of it, and the sizes. */
static void print_head(const struct printing *printing, const struct change *change)
{
    AUTO(arena_done) struct arena scratch = {0};
    const struct change_side *before = change->before, *after = change->after, *side = after ? after : before;
    const char *platform = side->platform ? shown(printing, &scratch, side->platform) : "no platform", *rest;
    if (!before || !after)
        rest = arena_printf(&scratch, "%s", before ? "went" : "came");
    else if (change_is_none(change))
        rest = "nothing changed";
    else if (change->is_known)
        rest = arena_printf(&scratch, "unpacked %s, layers %s",
                            size_change(&scratch, before->unpacked_bytes, after->unpacked_bytes),
                            size_change(&scratch, before->layer_bytes, after->layer_bytes));
    else
        rest = arena_printf(&scratch, "layers %s", size_change(&scratch, before->layer_bytes, after->layer_bytes));
    (void)fprintf(printing->out, printing->is_markdown ? "### %s\n%s\n\n" : "%s  %s\n", platform, rest);
}

/* Packages that give no file stand behind the others. */
static void print_packages(const struct printing *printing, const struct change *change, bool has_given)
{
    for (size_t i = 0; i < change->packages.count; i++) {
        if (change->packages.items[i].has_given == has_given)
            print_package(printing, &change->packages.items[i]);
    }
}

/* And so do their changelogs. */
static void print_stories(const struct printing *printing, const struct change *change, bool has_given)
{
    for (size_t i = 0; i < change->stories.count; i++) {
        if (stories_are_given(change, &change->stories.items[i].packages) == has_given)
            print_story(printing, &change->stories.items[i], has_given);
    }
}

static void print_change(const struct printing *printing, const struct change *change)
{
    print_head(printing, change);
    print_packages(printing, change, true);
    print_packages(printing, change, false);
    for (size_t i = 0; i < change->files.count; i++)
        print_file(printing, &change->files.items[i]);
    for (size_t i = 0; i < change->values.count; i++)
        print_value(printing, &change->values.items[i]);
    for (size_t i = 0; i < change->libraries.count; i++)
        print_library(printing, &change->libraries.items[i]);
    for (size_t i = 0; i < change->advisories.count; i++)
        print_advisory(printing, &change->advisories.items[i]);
    print_stories(printing, change, true);
    print_stories(printing, change, false);
    for (size_t i = 0; i < change->notes.count; i++) {
        AUTO(arena_done) struct arena scratch = {0};
        (void)fprintf(printing->out, printing->is_markdown ? "- note: %s\n" : "  note        %s\n",
                      printing->is_markdown ? shown(printing, &scratch, change->notes.items[i])
                                            : change->notes.items[i]);
    }
    if (printing->is_markdown)
        (void)fputc('\n', printing->out);
}

void change_print_text(FILE *out, const struct change *change)
{
    print_change(&(struct printing){.out = out}, change);
}

void change_print_markdown(FILE *out, const struct change *change)
{
    print_change(&(struct printing){.out = out, .is_markdown = true}, change);
}
