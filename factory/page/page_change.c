/* SPDX-License-Identifier: Apache-2.0 */
/* What the run changed in an image, platform by platform. */
#include "page/page_parts.h"

#include "change/libraries.h"
#include "change/stories.h"

#define LISTED_MAX ((size_t)40) /* packages, files, stories of one platform */

static const char *const kinds[] = {[CHANGE_CAME] = "came", [CHANGE_WENT] = "went", [CHANGE_CHANGED] = "changed"};

static const char *size_change(struct arena *arena, uint64_t before, uint64_t after)
{
    if (before == after)
        return "the same size";
    return arena_printf(arena, "%s → %s", text_size(before).chars, text_size(after).chars);
}

static void list_packages(struct arena *arena, struct template_scope *scope, const struct change *change)
{
    size_t count = 0;
    for (size_t i = 0; i < change->packages.count; i++) {
        const struct package_change *package = &change->packages.items[i];
        if (!package->has_given || count++ >= LISTED_MAX)
            continue;
        struct template_scope *row = template_item(arena, scope, "changed-packages");
        template_text(arena, row, "package", change_package(package)->name);
        template_text(arena, row, "before", package->before ? package->before->version : "–");
        template_text(arena, row, "after", package->after ? package->after->version : "–");
    }
    template_text(arena, scope, "package-changes", count ? arena_printf(arena, "%zu", count) : NULL);
    if (count > LISTED_MAX)
        template_text(arena, scope, "more-changed-packages",
                      arena_printf(arena, "and %zu more packages", count - LISTED_MAX));
}

static void list_libraries(struct arena *arena, struct template_scope *scope, const struct change *change)
{
    for (size_t i = 0; i < change->libraries.count && i < LISTED_MAX; i++) {
        const struct library_change *library = &change->libraries.items[i];
        struct template_scope *row = template_item(arena, scope, "changed-libraries");
        template_text(arena, row, "soname", library->soname);
        template_text(arena, row, "what", kinds[library->kind]);
        template_text(arena, row, "symbols",
                      library->kind == CHANGE_CHANGED
                          ? arena_printf(arena, "%zu symbols came, %zu went", library->came_count, library->went_count)
                          : "–");
    }
}

static void list_stories(struct arena *arena, struct template_scope *scope, const struct change *change)
{
    for (size_t i = 0; i < change->stories.count && i < LISTED_MAX; i++) {
        const struct change_story *told = &change->stories.items[i];
        const struct story *story = told->story;
        struct template_scope *row = template_item(arena, scope, "stories");
        template_text(arena, row, "source", story->source);
        template_text(arena, row, "before", story->before);
        template_text(arena, row, "after", story->after);
        template_text(arena, row, "gives-none", stories_are_given(change, &told->packages) ? NULL : "none");
        template_text(arena, row, "not-read", story->is_read ? NULL : story->why_not);
        for (size_t k = 0; k < story->picks.cves.count && k < LISTED_MAX; k++)
            template_text(arena, template_item(arena, row, "story-cves"), "cve", story->picks.cves.items[k]);
    }
}

static void set_change(struct arena *arena, struct template_scope *scope, const struct change *change)
{
    const struct change_side *before = change->before, *after = change->after;
    struct template_scope *row = template_item(arena, scope, "changes");
    template_text(arena, row, "platform", (after ? after : before)->platform);
    template_text(arena, row, "what",
                  !before                  ? "is new"
                  : !after                 ? "is gone"
                  : change_is_none(change) ? "did not change"
                                           : NULL);
    if (before && after) {
        template_text(arena, row, "packed", size_change(arena, before->layer_bytes, after->layer_bytes));
        if (before->bill && after->bill)
            template_text(arena, row, "unpacked", size_change(arena, before->unpacked_bytes, after->unpacked_bytes));
        template_text(arena, row, "files-changed", arena_printf(arena, "%zu", change->files.count));
        list_packages(arena, row, change);
        list_libraries(arena, row, change);
        list_stories(arena, row, change);
    }
    for (size_t i = 0; i < change->notes.count && i < LISTED_MAX; i++)
        template_text(arena, template_item(arena, row, "change-notes"), "note", change->notes.items[i]);
}

void page_set_changes(struct arena *arena, struct template_scope *scope, const struct page_image *image)
{
    for (size_t i = 0; i < image->change_count; i++)
        set_change(arena, scope, &image->changes[i]);
    for (size_t i = 0; i < image->cves.count && i < LISTED_MAX; i++)
        template_text(arena, template_item(arena, scope, "fixed-cves"), "cve", image->cves.items[i]);
    template_text(arena, scope, "fixed-count",
                  image->cves.count ? arena_printf(arena, "%zu", image->cves.count) : NULL);
    template_text(arena, scope, "fixed-are", image->cves.count == 1 ? "number is" : "numbers are");
    if (image->cves.count > LISTED_MAX)
        template_text(arena, scope, "more-cves", arena_printf(arena, "and %zu more", image->cves.count - LISTED_MAX));
}
