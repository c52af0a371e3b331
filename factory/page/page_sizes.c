/* SPDX-License-Identifier: Apache-2.0 */
/* The size of an image over the last nights: a line, and the same as a table. */
#include "page/page_parts.h"

#include "base/date.h"

#define DAY_SECONDS ((int64_t)24 * 60 * 60)
#define LEFT 4
#define WIDTH 392
#define TOP 22
#define HEIGHT 96
#define RANGE 72 /* between the least and the most */

/* A night of the line. */
struct point {
    int64_t day; /* since 1970 */
    uint64_t bytes;
    const struct past_record *record;
};

struct points {
    struct point items[PAGE_NIGHTS];
    size_t count;
    uint64_t least, most;
};

/* Finds what was published on a day: the newest record that began by then. */
static const struct past_record *record_of(const struct past_records *nights, int64_t day)
{
    for (size_t i = 0; i < nights->count; i++) {
        if (nights->items[i].first / DAY_SECONDS <= day)
            return &nights->items[i];
    }
    return NULL;
}

static struct points list_points(const struct past_records *nights, int64_t today)
{
    struct points points = {.least = UINT64_MAX};
    for (int64_t day = today - PAGE_NIGHTS + 1; day <= today; day++) {
        const struct past_record *record = record_of(nights, day);
        uint64_t bytes = record ? past_record_layer_bytes(record) : 0;
        if (!record)
            continue;
        points.items[points.count++] = (struct point){day, bytes, record};
        points.least = bytes < points.least ? bytes : points.least;
        points.most = bytes > points.most ? bytes : points.most;
    }
    return points;
}

static unsigned x_of(int64_t today, int64_t day)
{
    return LEFT + WIDTH - (unsigned)((today - day) * WIDTH / (PAGE_NIGHTS - 1));
}

/* The least lies a quarter above the bottom, the most at the top; when all are the same they lie in the middle. */
static unsigned y_of(const struct points *points, uint64_t bytes)
{
    uint64_t span = points->most - points->least;
    if (!span)
        return TOP + HEIGHT / 2;
    return TOP + RANGE - (unsigned)((double)(bytes - points->least) * RANGE / (double)span + 0.5);
}

/* A size holds until the next night: steps. */
static const char *draw(struct arena *arena, const struct points *points, int64_t today)
{
    struct strings parts = {0};
    for (size_t i = 0; i < points->count; i++) {
        unsigned x = x_of(today, points->items[i].day), y = y_of(points, points->items[i].bytes);
        list_add(arena, &parts, i ? arena_printf(arena, "H%uV%u", x, y) : arena_printf(arena, "M%u %u", x, y));
    }
    return strings_join(arena, &parts, "");
}

static struct date_chars day_of(int64_t day)
{
    struct date_chars date = date_print(day * DAY_SECONDS);
    date.chars[10] = '\0'; /* without the time of day */
    return date;
}

static void list_changes(struct arena *arena, struct template_scope *scope, const struct points *points)
{
    for (size_t i = points->count; i-- > 0;) {
        const struct point *point = &points->items[i];
        if (i && points->items[i - 1].record == point->record)
            continue;
        struct template_scope *row = template_item(arena, scope, "sizes-listed");
        template_text(arena, row, "day", day_of(point->day).chars);
        page_set_bytes(arena, row, "size", "bytes", point->bytes);
        template_text(arena, row, "version", past_record_version(point->record));
        template_text(arena, row, "packages-changed", arena_printf(arena, "%zu", point->record->changes.count));
        template_text(arena, row, "cves-fixed", arena_printf(arena, "%zu", point->record->cves.count));
    }
}

/* The line in words. */
static const char *describe(struct arena *arena, const struct points *points)
{
    const struct point *first = &points->items[0], *last = &points->items[points->count - 1];
    if (points->most == points->least)
        return arena_printf(arena, "%s since %s.", text_size(first->bytes).chars, day_of(first->day).chars);
    return arena_printf(arena, "%s on %s, %s on %s; between %s and %s.", text_size(first->bytes).chars,
                        day_of(first->day).chars, text_size(last->bytes).chars, day_of(last->day).chars,
                        text_size(points->least).chars, text_size(points->most).chars);
}

void page_set_sizes(struct arena *arena, struct template_scope *scope, const struct page_run *run,
                    const struct page_image *image)
{
    int64_t today = run->date / DAY_SECONDS;
    if (!image->nights || !image->nights->count)
        return;
    struct points points = list_points(image->nights, today);
    if (!points.count)
        return;
    const struct point *last = &points.items[points.count - 1];
    struct template_scope *sizes = template_item(arena, scope, "sizes");
    template_text(arena, sizes, "line", draw(arena, &points, today));
    template_text(arena, sizes, "x", arena_printf(arena, "%u", x_of(today, last->day)));
    template_text(arena, sizes, "y", arena_printf(arena, "%u", y_of(&points, last->bytes)));
    template_text(arena, sizes, "left-day", day_of(today - PAGE_NIGHTS + 1).chars);
    template_text(arena, sizes, "right-day", day_of(today).chars);
    template_text(arena, sizes, "least", text_size(points.least).chars);
    template_text(arena, sizes, "most", text_size(points.most).chars);
    template_text(arena, sizes, "least-y", arena_printf(arena, "%u", y_of(&points, points.least)));
    template_text(arena, sizes, "most-y", arena_printf(arena, "%u", y_of(&points, points.most)));
    template_text(arena, sizes, "is-many", points.most > points.least ? "1" : NULL);
    template_text(arena, sizes, "described", describe(arena, &points));
    list_changes(arena, sizes, &points);
}
