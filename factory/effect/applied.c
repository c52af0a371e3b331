/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/applied.h"

#include "base/map.h"
#include "source/format.h"

#include <stdlib.h>

static bool has(const struct applied *applied, const struct recipe *recipe)
{
    for (size_t i = 0; i < applied->count; i++) {
        if (applied->items[i] == recipe)
            return true;
    }
    return false;
}

bool applied_add(struct arena *arena, const struct recipes *recipes, const struct keep *keep, bool is_installed,
                 struct applied *applied)
{
    struct map gave = {.arena = arena};
    for (size_t i = 0; i < keep->count; i++) {
        const struct sourced *file = keep->items[i].file;
        if (file->entry->kind != ENTRY_DIRECTORY)
            map_set(&gave, text_of(file->package->name), (void *)file->package);
    }
    size_t before = applied->count;
    for (size_t i = 0; i < recipes->count; i++) {
        const struct recipe *recipe = &recipes->items[i];
        bool is_wanted = !is_installed || !recipe->is_not_for_installed;
        for (size_t j = 0; j < gave.slots.count && is_wanted && !has(applied, recipe); j++) {
            const struct package *package = gave.slots.items[j].value;
            if (recipe_is_for(recipe, package->name, package->format->name))
                list_add(arena, applied, recipe);
        }
    }
    return applied->count > before;
}

static int compare_names(const void *a, const void *b)
{
    const struct recipe *left = *(const struct recipe *const *)a, *right = *(const struct recipe *const *)b;
    return strcmp(left->name, right->name);
}

struct wishes applied_wishes(struct arena *arena, const struct manifest *manifest, const struct applied *applied)
{
    struct wishes merged = manifest->wishes;
    const struct recipe **sorted = arena_new_array(arena, const struct recipe *, applied->count);
    for (size_t i = 0; i < applied->count; i++)
        sorted[i] = applied->items[i];
    if (applied->count)
        qsort(sorted, applied->count, sizeof(sorted[0]), compare_names);
    for (size_t i = 0; i < applied->count; i++) {
        struct wishes given = wishes_without(arena, &sorted[i]->wishes, &manifest->packages_never);
        merged = wishes_merge(arena, &merged, &given);
    }
    return merged;
}
