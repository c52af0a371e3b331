/* SPDX-License-Identifier: Apache-2.0 */
#include "page/page_parts.h"

#include "base/auto.h"
#include "base/date.h"
#include "base/map.h"
#include "page/page_templates.h"
#include "plan/rules.h"

#include <assert.h>

#define FOLDER "image/"
#define TAGS_SHOWN_MAX ((size_t)12)
#define ROWS_MAX ((size_t)10000) /* of the night, or as many as PAGE_MAX_BYTES have room for */

static const struct {
    const char *word, *class;
} statuses[] = {
    [PAGE_FAILED] = {"failed", "bad"}, [PAGE_HELD] = {"held", "warn"},           [PAGE_PARTLY] = {"partly", "warn"},
    [PAGE_BUILT] = {"built", "good"},  [PAGE_UNCHANGED] = {"unchanged", "same"}, [PAGE_DRY_RUN] = {"dry run", "same"}};

struct text page_template(const char *name)
{
    for (size_t i = 0; i < page_templates_count; i++) {
        if (strcmp(page_templates[i].name, name) == 0)
            return (struct text){(const char *)page_templates[i].bytes, page_templates[i].len};
    }
    assert(false); /* a page without its template */
    return TEXT("");
}

const char *page_file_of(struct arena *arena, const struct page_image *image)
{
    struct digest digest = digest_of(image->name, strlen(image->name));
    if (rule_is_image_name(image->name) && strlen(image->name) < 200)
        return arena_printf(arena, FOLDER "%s.html", image->name);
    return arena_printf(arena, FOLDER "_%.16s.html", digest_hex(&digest).chars); /* a word that never became an image */
}

/* --- one image, for both pages --- */

/* Versions of the platforms: one when they are one. */
static const char *versions_of(struct arena *arena, const struct page_image *image)
{
    struct strings versions = {0};
    for (size_t i = 0; i < image->platforms.count; i++) {
        const char *version = image->platforms.items[i].version;
        if (version && !strings_has(&versions, version))
            list_add(arena, &versions, version);
    }
    return strings_join(arena, &versions, ", ");
}

/* What differs to what was published before: bytes and packages. */
static void set_change(struct arena *arena, struct template_scope *scope, const struct page_image *image)
{
    struct map seen = {.arena = arena};
    int64_t bytes = 0;
    for (size_t i = 0; i < image->change_count; i++) {
        const struct change *change = &image->changes[i];
        bytes += (int64_t)(change->after ? change->after->layer_bytes : 0) -
                 (int64_t)(change->before ? change->before->layer_bytes : 0);
        for (size_t k = 0; k < change->packages.count; k++) {
            if (change->packages.items[k].has_given)
                (void)map_add(&seen, text_of(change_package(&change->packages.items[k])->name), &seen);
        }
    }
    template_text(arena, scope, "is-new", image->status == PAGE_BUILT && !image->change_count ? "1" : NULL);
    if (!image->change_count)
        return;
    template_text(arena, scope, "change-bytes", arena_printf(arena, "%jd", (intmax_t)bytes));
    template_text(arena, scope, "change-size",
                  arena_printf(arena, "%s%s",
                               bytes < 0 ? "−"
                               : bytes   ? "+"
                                         : "±",
                               text_size((uint64_t)(bytes < 0 ? -bytes : bytes)).chars));
    template_text(arena, scope, "change-packages", arena_printf(arena, "%zu", seen.slots.count));
    template_text(arena, scope, "is-one-package", seen.slots.count == 1 ? "1" : NULL);
}

static void set_tags(struct arena *arena, struct template_scope *scope, const struct page_image *image)
{
    for (size_t i = 0; i < image->tags.count && i < TAGS_SHOWN_MAX; i++)
        template_text(arena, template_item(arena, scope, "tags"), "tag", image->tags.items[i]);
    if (image->tags.count > TAGS_SHOWN_MAX)
        template_text(arena, scope, "more-tags",
                      arena_printf(arena, "and %zu more", image->tags.count - TAGS_SHOWN_MAX));
}

static void set_parity(struct arena *arena, struct template_scope *scope, const struct page_image *image)
{
    for (size_t i = 0; i < image->lags.count && i < TAGS_SHOWN_MAX; i++)
        template_text(arena, template_item(arena, scope, "lags"), "lag", image->lags.items[i]);
    template_text(arena, scope, "lag-count",
                  image->lags.count
                      ? arena_printf(arena, "%zu package%s", image->lags.count, image->lags.count == 1 ? "" : "s")
                      : NULL);
    template_text(arena, scope, "parity", image->parity);
    template_text(arena, scope, "is-alike", image->parity && !image->lags.count ? "1" : NULL);
}

static void set_age(struct arena *arena, struct template_scope *scope, const struct page_run *run,
                    const struct page_image *image)
{
    if (!image->created)
        return;
    struct date_chars date = date_print(image->created);
    date.chars[10] = '\0';
    template_text(arena, scope, "created", date.chars);
    template_text(arena, scope, "age",
                  date_print_span(run->date > image->created ? run->date - image->created : 0).chars);
}

static void set_sizes(struct arena *arena, struct template_scope *scope, const struct page_image *image)
{
    uint64_t layer_bytes = 0;
    for (size_t i = 0; i < image->platforms.count; i++) {
        const struct page_platform *platform = &image->platforms.items[i];
        layer_bytes += platform->layer_bytes;
        if (!platform->error || platform->is_previous)
            template_text(arena, template_item(arena, scope, "arches"), "arch", platform->arch);
    }
    if (layer_bytes)
        page_set_bytes(arena, scope, "size", "size-bytes", layer_bytes);
}

void page_set_image(struct arena *arena, struct template_scope *scope, const struct page_run *run,
                    const struct page_image *image)
{
    template_text(arena, scope, "name", image->name);
    template_text(arena, scope, "file", page_file_of(arena, image));
    template_text(arena, scope, "status", statuses[image->status].word);
    template_text(arena, scope, "class", statuses[image->status].class);
    template_text(arena, scope, "error", image->error);
    template_text(arena, scope, "destination", image->destination);
    template_text(arena, scope, "versions", versions_of(arena, image));
    template_text(arena, scope, "seconds", arena_printf(arena, "%.1f s", image->seconds));
    template_text(arena, scope, "seconds-exact", arena_printf(arena, "%.3f", image->seconds));
    template_text(arena, scope, "is-there", digest_eq(&image->digest, &(struct digest){0}) ? NULL : "1");
    template_text(arena, scope, "cves", arena_printf(arena, "%zu", image->cves.count));
    set_tags(arena, scope, image);
    set_parity(arena, scope, image);
    set_age(arena, scope, run, image);
    set_sizes(arena, scope, image);
    set_change(arena, scope, image);
}

/* --- the pages --- */

/* Returns "" for what would be bigger than PAGE_MAX_BYTES. */
static struct text fill(struct arena *arena, const char *template, const struct template_scope *scope)
{
    AUTO(buf_done) struct buf out;
    buf_init(&out, PAGE_MAX_BYTES);
    if (!template_fill(page_template(template), scope, &out))
        return TEXT("");
    return (struct text){arena_strndup(arena, out.bytes, out.len), out.len};
}

/* Fills a page in, between the head and the foot that all have. */
static struct text end(struct arena *arena, const char *template, struct template_scope *scope)
{
    template_markup(arena, scope, "head", fill(arena, "head", scope));
    template_markup(arena, scope, "foot", fill(arena, "foot", scope));
    return fill(arena, template, scope);
}

/* What all pages have. */
static struct template_scope *begin(struct arena *arena, const struct page_run *run)
{
    struct template_scope *scope = template_scope(arena, NULL);
    struct date_chars date = date_print(run->date), day = date;
    day.chars[10] = '\0';
    template_markup(arena, scope, "style", page_template("style"));
    template_text(arena, scope, "program", run->program);
    template_text(arena, scope, "kind", run->is_night ? "Night" : "Build");
    template_text(arena, scope, "date", date.chars);
    template_text(arena, scope, "day", day.chars);
    return scope;
}

static bool needs_attention(const struct page_image *image)
{
    return image->status == PAGE_FAILED || image->status == PAGE_HELD || image->status == PAGE_PARTLY;
}

/* How many images became what, as one line. */
static const char *summarize(struct arena *arena, const struct page_run *run)
{
    struct strings parts = {0};
    size_t counts[ARRAY_COUNT(statuses)] = {0};
    for (size_t i = 0; i < run->count; i++)
        counts[run->images[i].status]++;
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        if (counts[i])
            list_add(arena, &parts, arena_printf(arena, "%zu %s", counts[i], statuses[i].word));
    }
    return arena_printf(arena, "%zu image%s: %s", run->count, run->count == 1 ? "" : "s",
                        strings_join(arena, &parts, ", "));
}

/* How many CVE numbers what changed names; several images may have one library. */
static size_t count_cves(const struct page_run *run)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct map seen = {.arena = &scratch};
    for (size_t i = 0; i < run->count; i++) {
        for (size_t k = 0; k < run->images[i].cves.count; k++)
            (void)map_add(&seen, text_of(run->images[i].cves.items[k]), &seen);
    }
    return seen.slots.count;
}

static struct text make_night(struct arena *arena, const struct page_run *run, size_t most)
{
    struct template_scope *scope = begin(arena, run);
    size_t cves = count_cves(run), shown = 0;
    template_text(arena, scope, "summary", summarize(arena, run));
    template_text(arena, scope, "all-seconds", arena_printf(arena, "%.1f s", run->seconds));
    template_text(arena, scope, "all-cves", cves ? arena_printf(arena, "%zu", cves) : NULL);
    template_text(arena, scope, "all-are", cves == 1 ? "number is" : "numbers are");
    for (int is_rest = 0; is_rest <= 1; is_rest++) { /* what somebody has to look at comes first */
        for (size_t i = 0; i < run->count && shown < most; i++) {
            const struct page_image *image = &run->images[i];
            if (needs_attention(image) == is_rest)
                continue;
            shown++;
            page_set_image(arena, template_item(arena, scope, "images"), run, image);
            if (!is_rest)
                page_set_image(arena, template_item(arena, scope, "attention"), run, image);
        }
    }
    if (shown < run->count)
        template_text(arena, scope, "more-images", arena_printf(arena, "and %zu more images", run->count - shown));
    return end(arena, "night", scope);
}

static void list_platforms(struct arena *arena, struct template_scope *scope, const struct page_image *image)
{
    for (size_t i = 0; i < image->platforms.count; i++) {
        const struct page_platform *platform = &image->platforms.items[i];
        struct template_scope *row = template_item(arena, scope, "platforms");
        bool has_digest = !digest_eq(&platform->digest, &(struct digest){0});
        template_text(arena, row, "arch", platform->arch);
        template_text(arena, row, "version", platform->version ? platform->version : "–");
        template_text(arena, row, "platform-error", platform->error);
        template_text(arena, row, "is-previous", platform->is_previous ? "1" : NULL);
        template_text(arena, row, "digest",
                      has_digest ? arena_printf(arena, "sha256:%s", digest_hex(&platform->digest).chars) : NULL);
        if (has_digest) {
            page_set_bytes(arena, row, "packed", "packed-bytes", platform->layer_bytes);
            page_set_bytes(arena, row, "unpacked", "unpacked-bytes", platform->unpacked_bytes);
            template_text(arena, row, "packages-given", arena_printf(arena, "%zu", platform->package_count));
            template_text(arena, row, "files-given", arena_printf(arena, "%zu", platform->file_count));
        }
        template_text(arena, row, "platform-seconds", arena_printf(arena, "%.1f s", platform->seconds));
    }
}

static const char *digest_text(struct arena *arena, const struct digest *digest)
{
    return digest_eq(digest, &(struct digest){0}) ? NULL : arena_printf(arena, "sha256:%s", digest_hex(digest).chars);
}

/* What stands in the place of changes when none are told. */
static const char *no_change_of(const struct page_image *image)
{
    switch (image->status) {
    case PAGE_FAILED:
        return "It was not made: what was published before is as it was.";
    case PAGE_HELD:
        return "No tag moved: what was published before is as it was.";
    case PAGE_DRY_RUN:
        return "Nothing was made, and nothing was compared.";
    case PAGE_PARTLY:
    case PAGE_BUILT:
    case PAGE_UNCHANGED:
    default:
        return "Nothing changed, or nothing was there before.";
    }
}

/* The error of the image, unless it is that of one of its architectures, which is told by its name. */
static const char *whole_error_of(const struct page_image *image)
{
    for (size_t i = 0; i < image->platforms.count; i++) {
        if (text_same(image->error, image->platforms.items[i].error))
            return NULL;
    }
    return image->error;
}

static struct text make_image(struct arena *arena, const struct page_run *run, const struct page_image *image)
{
    struct template_scope *scope = begin(arena, run);
    page_set_image(arena, scope, run, image);
    template_text(arena, scope, "index", digest_text(arena, &image->digest));
    template_text(arena, scope, "before-index", digest_text(arena, &image->before));
    template_text(arena, scope, "layout", image->layout);
    template_text(arena, scope, "whole-error", whole_error_of(image));
    template_text(arena, scope, "no-change", no_change_of(image));
    template_text(arena, scope, "wants-attention", needs_attention(image) ? "1" : NULL);
    list_platforms(arena, scope, image);
    page_set_changes(arena, scope, image);
    page_set_sizes(arena, scope, run, image);
    for (size_t i = 0; i < image->platforms.count; i++)
        page_set_space(arena, scope, &image->platforms.items[i], i + 1);
    return end(arena, "image", scope);
}

static void add_page(struct arena *arena, const char *name, struct text page, struct page_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (strcmp(files->items[i].name, name) == 0)
            return;
    }
    list_add(arena, files,
             (struct page_file){arena_strdup(arena, name), {arena_strndup(arena, page.ptr, page.len), page.len}});
}

void page_make_run(struct arena *arena, const struct page_run *run, struct page_files *files)
{
    bool is_whole = false;
    for (size_t most = ROWS_MAX; !is_whole; most /= 2) { /* without any row it is small */
        AUTO(arena_done) struct arena scratch = {0};
        struct text page = make_night(&scratch, run, most);
        is_whole = page.len > 0;
        if (is_whole)
            add_page(arena, "index.html", page, files);
    }
}

void page_make_image(struct arena *arena, const struct page_run *run, const struct page_image *image,
                     struct page_files *files)
{
    AUTO(arena_done) struct arena scratch = {0};
    add_page(arena, page_file_of(&scratch, image), make_image(&scratch, run, image), files);
}
