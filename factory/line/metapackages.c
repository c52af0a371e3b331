/* SPDX-License-Identifier: Apache-2.0 */
#include "line/metapackages.h"

#include "package/path.h"

#define META_MAX 1000 /* packages that are taken whole, metapackages of metapackages included */

struct finding {
    struct arena *arena;
    const struct catalog *catalog;
    const struct opened *opened;
    struct metapackages *found;
};

/* Links alone lead to what others ship. */
bool metapackage_is(const struct family *family, const struct package *package)
{
    for (size_t i = 0; i < package->count; i++) {
        const struct entry *entry = &package->entries[i];
        bool is_file = entry->kind != ENTRY_DIRECTORY && entry->kind != ENTRY_SYMLINK;
        if (is_file && !entry->is_documentation && !path_is_within_any(entry->path, &family->documentation))
            return false;
    }
    return true;
}

/* Adds what a metapackage brings whole, and says what it does not. */
static void add_dependencies(struct finding *finding, const struct wish_package *meta, const char *source)
{
    struct arena *arena = finding->arena;
    const struct opened *opened = finding->opened;
    struct strings whole = {0}, others = {0};
    struct catalog_package described = {0};
    struct err ignored = {0};
    bool is_found = false;
    if (!catalog_describe(finding->catalog, arena, meta->name, &described, &is_found, &ignored) || !is_found)
        return;
    for (size_t i = 0; i < described.depends.count; i++) {
        const char *name = described.depends.items[i];
        const struct selected *selected = selection_find(&opened->selection, name);
        if (!selected)
            continue;
        const char *other = selected->source_package;
        bool is_own = source && other && strcmp(source, other) == 0;
        list_add(arena, is_own ? &whole : &others, name);
        if (!is_own || wishes_package(&finding->found->wishes, name))
            continue;
        struct wish_package wish = {.name = name,
                                    .is_lenient = meta->is_lenient,
                                    .giver = arena_printf(arena, "the metapackage %s", meta->name)};
        list_add(arena, &finding->found->wishes.packages, wish);
    }
    if (!whole.count && !others.count) {
        list_add(arena, &finding->found->notes,
                 arena_printf(arena, "package %s ships nothing itself, and depends on nothing", meta->name));
        return;
    }
    list_add(arena, &finding->found->notes,
             arena_printf(arena, "package %s ships nothing itself: %s%s%s%s%s", meta->name,
                          whole.count ? "whole for it " : "", strings_join(arena, &whole, ", "),
                          whole.count && others.count ? "; " : "",
                          others.count ? "only what something needs, unless 'packages: install' names them, of " : "",
                          strings_join(arena, &others, ", ")));
}

void metapackages_find(struct arena *arena, const struct catalog *catalog, const struct opened *opened,
                       const struct wishes *wishes, struct metapackages *ret_found)
{
    static const struct wishes none;
    struct finding finding = {arena, catalog, opened, ret_found};
    *ret_found = (struct metapackages){.wishes = wishes_join(arena, wishes, &none)};
    for (size_t i = 0; i < ret_found->wishes.packages.count && i < META_MAX; i++) { /* which grows */
        struct wish_package wish = ret_found->wishes.packages.items[i];
        const struct selected *selected = selection_find(&opened->selection, wish.name);
        if (!selected)
            continue;
        const struct package *package = opened->packages[selected - opened->selection.items];
        if (!package)
            ret_found->is_partial = true;
        else if (metapackage_is(catalog->family, package))
            add_dependencies(&finding, &wish, selected->source_package);
    }
}
