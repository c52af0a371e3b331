/* SPDX-License-Identifier: Apache-2.0 */
/* What takes the space of an image: a treemap of packages and their files, and the biggest of them with why each is there. */
#include "page/page_parts.h"

#include "base/auto.h"
#include "base/map.h"
#include "package/path.h"
#include "page/treemap.h"

#include <stdlib.h>

#define FRAME_WIDTH 400u
#define FRAME_HEIGHT 360u
#define LABEL_HEIGHT 15u   /* of a package's name above its files */
#define LABELLED_WIDTH 34u /* less has no label */
#define LABELLED_HEIGHT 44u
#define FILE_WIDTH 60u /* the same of a file */
#define FILE_HEIGHT 20u
#define FILE_CLASS " class=\"f\""
#define GLYPH_TENTHS 75u /* width of a bold letter */
#define PACKAGES_MAX ((size_t)16)
#define CELLS_MAX ((size_t)60)
#define LISTED_FILES_MAX ((size_t)20)
#define LISTED_PACKAGES_MAX ((size_t)25)
#define COLORS 8u

/* A package that gave files, or the factory itself. */
struct share {
    const char *name, *version, *source; /* name "": made by the factory */
    uint64_t bytes;
    LIST(struct past_file) files;
    size_t number; /* of its colour */
};

struct shares {
    struct share **items;
    size_t count, capacity;
    uint64_t bytes; /* of all */
};

static int compare_files(const void *left, const void *right)
{
    const struct past_file *a = left, *b = right;
    return a->size_bytes != b->size_bytes ? (a->size_bytes < b->size_bytes ? 1 : -1) : strcmp(a->path, b->path);
}

static int compare_shares(const void *left, const void *right)
{
    const struct share *a = *(struct share *const *)left, *b = *(struct share *const *)right;
    return a->bytes != b->bytes ? (a->bytes < b->bytes ? 1 : -1) : strcmp(a->name, b->name);
}

static struct share *share_of(struct arena *arena, struct map *known, struct shares *shares, const char *name)
{
    struct share *share = map_get(known, text_of(name));
    if (share)
        return share;
    share = arena_new(arena, struct share);
    *share = (struct share){.name = name, .version = "", .source = ""};
    map_set(known, text_of(name), share);
    list_add(arena, shares, share);
    return share;
}

/* Gathers what each package gives, the biggest first. */
static struct shares gather(struct arena *arena, const struct past_bill *brief)
{
    struct shares shares = {0};
    struct map known = {.arena = arena};
    struct past_package package;
    struct past_file file;
    enum past_item item;
    for (struct text rest = brief->items; (item = past_bill_next(&rest, &package, &file)) != PAST_END;) {
        if (item == PAST_PACKAGE && package.has_given) {
            struct share *share = share_of(arena, &known, &shares, package.name);
            share->version = package.version;
            share->source = package.source;
        } else if (item == PAST_FILE && file.kind != NODE_DIRECTORY) {
            struct share *share = share_of(arena, &known, &shares, file.package);
            share->bytes += file.size_bytes;
            shares.bytes += file.size_bytes;
            list_add(arena, &share->files, file);
        }
    }
    if (shares.count)
        qsort(shares.items, shares.count, sizeof *shares.items, compare_shares);
    for (size_t i = 0; i < shares.count; i++) {
        struct share *share = shares.items[i];
        share->number = i;
        if (share->files.count)
            qsort(share->files.items, share->files.count, sizeof *share->files.items, compare_files);
    }
    return shares;
}

static const char *shown_name(const struct share *share)
{
    return *share->name ? share->name : "made by imgfactory";
}

/* Why a file is there, as a sentence's end. */
static const char *why_of(struct arena *arena, const struct past_file *file)
{
    if (*file->by && !strstr(file->why, file->by))
        return arena_printf(arena, "%s%sby %s", file->why, *file->why ? ", " : "", file->by);
    return *file->why ? file->why : "wanted";
}

/* --- the picture --- */

struct drawing {
    struct arena *arena;
    struct buf *out;
};

/* A rectangle of the picture, or what is in it. */
struct cell {
    const char *title;         /* of a file */
    const char *label;         /* of a file, where there is room; or NULL */
    const struct share *share; /* of a package; NULL: the rest of them */
    uint64_t bytes;
};

struct cells {
    struct cell *items;
    size_t count, capacity;
};

static int compare_cells(const void *left, const void *right)
{
    const struct cell *a = left, *b = right;
    return a->bytes != b->bytes ? (a->bytes < b->bytes ? 1 : -1) : strcmp(a->title, b->title);
}

/* Sorts cells and lays them out. */
static struct treemap_rect *lay(struct arena *arena, struct cells *cells, struct treemap_rect frame)
{
    uint64_t *areas = arena_new_array(arena, uint64_t, cells->count + 1);
    struct treemap_rect *rects = arena_new_array(arena, struct treemap_rect, cells->count + 1);
    if (cells->count)
        qsort(cells->items, cells->count, sizeof *cells->items, compare_cells);
    for (size_t i = 0; i < cells->count; i++)
        areas[i] = cells->items[i].bytes;
    treemap_lay(areas, cells->count, frame, rects);
    return rects;
}

static bool draw_cell(struct drawing *drawing, const struct treemap_rect *rect, size_t color, const char *title)
{
    if (!rect->width || !rect->height)
        return true;
    return buf_printf(drawing->out, "<g><title>") && template_escape(title, drawing->out) &&
           buf_printf(drawing->out, "</title><rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" class=\"c%zu\"/></g>\n",
                      rect->x, rect->y, rect->width, rect->height, color % COLORS);
}

/* A name in the upper left corner, cut to fit. */
static bool draw_label(struct drawing *drawing, const struct treemap_rect *rect, const char *class, const char *name)
{
    size_t fits = (rect->width - 6) * 10 / GLYPH_TENTHS, len = strlen(name);
    size_t cut = len > fits && fits ? fits - 1 : len;
    while (cut < len && cut && ((unsigned char)name[cut] & 0xC0) == 0x80)
        cut--; /* not within a character */
    return buf_printf(drawing->out, "<text x=\"%u\" y=\"%u\"%s>", rect->x + 4, rect->y + LABEL_HEIGHT - 4, class) &&
           template_escape(arena_strndup(drawing->arena, name, cut), drawing->out) &&
           buf_printf(drawing->out, "%s</text>\n", cut < len ? "…" : "");
}

/* Draws the files of a package: the biggest for themselves, the others as one. */
static bool draw_files(struct drawing *drawing, const struct share *share, struct treemap_rect frame, size_t most)
{
    struct arena *arena = drawing->arena;
    struct cells cells = {0};
    uint64_t drawn = 0;
    for (size_t i = 0; i < share->files.count && i < most && share->files.items[i].size_bytes; i++) {
        const struct past_file *file = &share->files.items[i];
        const char *title =
            arena_printf(arena, "%s, %s, %s", file->path, text_size(file->size_bytes).chars, why_of(arena, file));
        list_add(arena, &cells,
                 (struct cell){.title = title, .label = path_basename(file->path), .bytes = file->size_bytes});
        drawn += file->size_bytes;
    }
    if (share->bytes > drawn)
        list_add(
            arena, &cells,
            (struct cell){.title = arena_printf(arena, "%zu more files of %s, %s", share->files.count - cells.count,
                                                shown_name(share), text_size(share->bytes - drawn).chars),
                          .bytes = share->bytes - drawn});
    struct treemap_rect *rects = lay(arena, &cells, frame);
    bool is_good = true;
    for (size_t i = 0; is_good && i < cells.count; i++) {
        bool is_labelled = cells.items[i].label && rects[i].width >= FILE_WIDTH && rects[i].height >= FILE_HEIGHT;
        is_good = draw_cell(drawing, &rects[i], share->number, cells.items[i].title) &&
                  (!is_labelled || draw_label(drawing, &rects[i], FILE_CLASS, cells.items[i].label));
    }
    return is_good;
}

/* Draws a package: its name where there is room, and below it its files. */
static bool draw_share(struct drawing *drawing, const struct cell *cell, struct treemap_rect rect, uint64_t all)
{
    const struct share *share = cell->share;
    bool is_labelled = rect.width >= LABELLED_WIDTH && rect.height >= LABELLED_HEIGHT;
    if (!share)
        return draw_cell(drawing, &rect, COLORS - 1, cell->title);
    if (is_labelled) {
        struct treemap_rect strip = {rect.x, rect.y, rect.width, LABEL_HEIGHT};
        const char *title =
            arena_printf(drawing->arena, "%s %s, %s", shown_name(share), share->version, text_size(share->bytes).chars);
        if (!draw_cell(drawing, &strip, share->number, title) || !draw_label(drawing, &strip, "", shown_name(share)))
            return false;
        rect.y += LABEL_HEIGHT;
        rect.height -= LABEL_HEIGHT;
    }
    size_t most = 1 + (size_t)((double)CELLS_MAX * (double)share->bytes / (double)all);
    return draw_files(drawing, share, rect, most);
}

/* The packages that are drawn, and one rectangle for all others. */
static struct cells list_packages(struct arena *arena, const struct shares *shares)
{
    struct cells cells = {0};
    uint64_t drawn = 0;
    for (size_t i = 0; i < shares->count && i < PACKAGES_MAX && shares->items[i]->bytes; i++) {
        list_add(arena, &cells,
                 (struct cell){
                     .title = shares->items[i]->name, .share = shares->items[i], .bytes = shares->items[i]->bytes});
        drawn += shares->items[i]->bytes;
    }
    if (shares->bytes > drawn)
        list_add(arena, &cells,
                 (struct cell){.title = arena_printf(arena, "%zu more packages, %s", shares->count - cells.count,
                                                     text_size(shares->bytes - drawn).chars),
                               .bytes = shares->bytes - drawn});
    return cells;
}

static bool draw(struct drawing *drawing, const struct shares *shares)
{
    struct cells cells = list_packages(drawing->arena, shares);
    struct treemap_rect *rects = lay(drawing->arena, &cells, (struct treemap_rect){0, 0, FRAME_WIDTH, FRAME_HEIGHT});
    bool is_good = true;
    for (size_t i = 0; is_good && i < cells.count; i++)
        is_good = draw_share(drawing, &cells.items[i], rects[i], shares->bytes);
    return is_good;
}

/* --- the lists --- */

static const char *percent_of(struct arena *arena, uint64_t part, uint64_t whole)
{
    unsigned percent = whole ? (unsigned)((double)part * 100 / (double)whole + 0.5) : 0;
    return percent || !part ? arena_printf(arena, "%u %%", percent) : "below 1 %";
}

static void list_shares(struct arena *arena, struct template_scope *scope, const struct shares *shares)
{
    for (size_t i = 0; i < shares->count && i < LISTED_PACKAGES_MAX; i++) {
        const struct share *share = shares->items[i];
        struct template_scope *row = template_item(arena, scope, "packages");
        template_text(arena, row, "package", shown_name(share));
        template_text(arena, row, "version", share->version);
        template_text(arena, row, "files", arena_printf(arena, "%zu", share->files.count));
        page_set_bytes(arena, row, "size", "bytes", share->bytes);
        template_text(arena, row, "percent", percent_of(arena, share->bytes, shares->bytes));
    }
    if (shares->count > LISTED_PACKAGES_MAX)
        template_text(arena, scope, "more-packages",
                      arena_printf(arena, "and %zu more packages", shares->count - LISTED_PACKAGES_MAX));
}

/* The biggest files of all packages: each package's are sorted already, so the biggest of them are among its first. */
static void list_files(struct arena *arena, struct template_scope *scope, const struct shares *shares)
{
    LIST(struct past_file) files = {0};
    size_t count = 0;
    for (size_t i = 0; i < shares->count; i++) {
        count += shares->items[i]->files.count;
        for (size_t k = 0; k < shares->items[i]->files.count && k < LISTED_FILES_MAX; k++)
            list_add(arena, &files, shares->items[i]->files.items[k]);
    }
    if (files.count)
        qsort(files.items, files.count, sizeof *files.items, compare_files);
    for (size_t i = 0; i < files.count && i < LISTED_FILES_MAX; i++) {
        struct template_scope *row = template_item(arena, scope, "files-listed");
        template_text(arena, row, "path", files.items[i].path);
        page_set_bytes(arena, row, "size", "bytes", files.items[i].size_bytes);
        template_text(arena, row, "of", *files.items[i].package ? files.items[i].package : "made by imgfactory");
        template_text(arena, row, "why", why_of(arena, &files.items[i]));
    }
    if (count > LISTED_FILES_MAX)
        template_text(arena, scope, "more-files", arena_printf(arena, "and %zu more files", count - LISTED_FILES_MAX));
}

/* What the picture shows, in words. */
static const char *describe(struct arena *arena, const struct shares *shares)
{
    struct strings parts = {0};
    for (size_t i = 0; i < shares->count && i < 5; i++)
        list_add(arena, &parts,
                 arena_printf(arena, "%s %s (%s)", shown_name(shares->items[i]),
                              text_size(shares->items[i]->bytes).chars,
                              percent_of(arena, shares->items[i]->bytes, shares->bytes)));
    return arena_printf(arena, "%zu packages take %s: %s%s. The tables below say the same.", shares->count,
                        text_size(shares->bytes).chars, strings_join(arena, &parts, ", "),
                        shares->count > 5 ? " and others" : "");
}

void page_set_space(struct arena *arena, struct template_scope *scope, const struct page_platform *platform,
                    size_t number)
{
    struct buf picture;
    struct drawing drawing = {.arena = arena, .out = &picture};
    if (!platform->brief.bytes)
        return;
    struct shares shares = gather(arena, &platform->brief);
    if (!shares.bytes)
        return;
    buf_init(&picture, PAGE_MAX_BYTES);
    struct template_scope *space = template_item(arena, scope, "spaces");
    template_text(arena, space, "arch", platform->arch);
    template_text(arena, space, "number", arena_printf(arena, "%zu", number));
    template_text(arena, space, "is-later", number > 1 ? "1" : NULL);
    page_set_bytes(arena, space, "unpacked", "unpacked-bytes", shares.bytes);
    template_text(arena, space, "described", describe(arena, &shares));
    template_text(arena, space, "width", arena_printf(arena, "%u", FRAME_WIDTH));
    template_text(arena, space, "height", arena_printf(arena, "%u", FRAME_HEIGHT));
    if (draw(&drawing, &shares))
        template_markup(arena, space, "cells", text_of(arena_strndup(arena, buf_text(&picture).ptr, picture.len)));
    buf_done(&picture);
    list_shares(arena, space, &shares);
    list_files(arena, space, &shares);
}
