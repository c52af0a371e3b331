/* SPDX-License-Identifier: Apache-2.0 */
#include "line/paged.h"

#include "base/auto.h"
#include "line/changes.h"
#include "line/lag_report.h"
#include "line/published.h"
#include "line/together.h"

static enum page_status status_of(const struct batch_image *image, bool is_dry_run)
{
    if (!image->is_good)
        return PAGE_FAILED;
    if (is_dry_run)
        return PAGE_DRY_RUN;
    if (image->is_held)
        return PAGE_HELD;
    if (image->is_partial)
        return PAGE_PARTLY;
    return image->is_unchanged ? PAGE_UNCHANGED : PAGE_BUILT;
}

/* What is in a platform: as it was taken down, or else put into that form now. */
static void open_brief(const struct paged_run *run, const struct job *job, struct past_bill *ret_brief)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(buf_done) struct buf packed = {0};
    struct bill whole = job->bill;
    if (past_open_bill(run->options->state_dir, &job->image.manifest.digest, ret_brief))
        return;
    if (!job->image.manifest.len || !bill_complete(&scratch, &whole) || !past_bill_pack(&whole, &packed) ||
        !past_bill_open(buf_text(&packed), ret_brief))
        *ret_brief = (struct past_bill){0};
}

static struct page_platform platform_of(struct arena *arena, const struct batch_image *image, size_t number)
{
    const struct job *job = &image->jobs[number];
    const struct image *made = image->made ? image->made[number] : NULL;
    struct page_platform platform = {.arch = image->arches[number]->name, .seconds = job->seconds};
    if (made)
        platform.digest = made->manifest.digest;
    for (size_t i = 0; made && i < made->layers.count; i++)
        platform.layer_bytes += made->layers.items[i].size_bytes;
    if (!job->is_good) {
        platform.error = arena_strdup(arena, job->err.text);
        platform.is_previous = made != NULL;
        return platform;
    }
    platform.digest = job->image.manifest.digest;
    platform.version = job->bill.facts.full_version;
    platform.layer_bytes = bill_layer_bytes(&job->bill);
    platform.unpacked_bytes = job->bill.unpacked_bytes;
    platform.package_count = job->bill.package_count;
    platform.file_count = job->bill.file_count;
    return platform;
}

static const struct past_records *nights_of(const struct past_images *past, const struct batch_image *image)
{
    for (size_t i = 0; i < past->count; i++) {
        const struct past_record *newest = &past->items[i].nights.items[0];
        if (text_same(newest->name, image->manifest->name) && text_same(newest->destination, image->destination))
            return &past->items[i].nights;
    }
    return NULL;
}

static void add_lags(struct arena *arena, const struct batch_image *image, struct page_image *page)
{
    if (image->is_compared)
        page->parity = together_parity_name(image->together.parity);
    for (size_t i = 0; i < image->lags.count; i++)
        list_add(arena, &page->lags, lag_report_line(arena, &image->lags.items[i]));
    if (image->is_held && !image->lags.count && image->base)
        page->error = arena_printf(arena, "It is held as its base %s is: no tag moved", image->base->manifest->name);
}

static struct page_image image_of(struct arena *arena, const struct paged_run *run, const struct past_images *past,
                                  const struct batch_image *image)
{
    struct page_image page = {.name = image->manifest->name,
                              .status = status_of(image, run->is_dry_run),
                              .destination = image->destination,
                              .seconds = image->seconds,
                              .cves = published_cves(arena, image),
                              .nights = nights_of(past, image)};
    if (!image->is_good)
        page.error = image->err.text;
    else if (image->is_partial)
        page.error = image->missing.text;
    if (image->has_layout) {
        page.layout = image->layout;
        page.digest = image->index.digest;
        page.tags = image->tags;
    }
    if (image->has_layout && image->changes) {
        page.before = image->changes->before;
        page.changes = image->changes->items.items;
        page.change_count = image->changes->items.count;
    }
    for (size_t i = 0; i < image->arch_count; i++) {
        list_add(arena, &page.platforms, platform_of(arena, image, i));
        if (!page.created && image->jobs[i].is_good)
            page.created = image->jobs[i].bill.facts.created_time;
    }
    add_lags(arena, image, &page);
    return page;
}

/* Makes the page of one image: what is in it is open for that long. */
static void make_image(struct arena *arena, const struct paged_run *run, const struct page_run *pages, size_t number,
                       struct page_files *files)
{
    const struct batch_image *image = &run->batch->images[number];
    struct page_image *page = &pages->images[number];
    for (size_t i = 0; i < page->platforms.count; i++) {
        if (image->jobs[i].is_good)
            open_brief(run, &image->jobs[i], &page->platforms.items[i].brief);
    }
    page_make_image(arena, pages, page, files);
    for (size_t i = 0; i < page->platforms.count; i++)
        past_bill_close(&page->platforms.items[i].brief);
}

void paged_make(struct arena *arena, const struct paged_run *run, struct page_files *ret_files)
{
    AUTO(arena_done) struct arena scratch = {0};
    struct past_images past;
    struct page_run pages = {.program = IMGFACTORY_VERSION,
                             .is_night = run->is_night,
                             .date = run->options->now,
                             .seconds = run->seconds,
                             .count = run->batch->count};
    past_read(&scratch, run->options->state_dir, NULL, false, &past);
    pages.images = arena_new_array(&scratch, struct page_image, pages.count + 1);
    for (size_t i = 0; i < pages.count; i++)
        pages.images[i] = image_of(&scratch, run, &past, &run->batch->images[i]);
    *ret_files = (struct page_files){0};
    page_make_run(arena, &pages, ret_files);
    for (size_t i = 0; i < pages.count; i++)
        make_image(arena, run, &pages, i, ret_files);
}
