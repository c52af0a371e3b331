/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries of dlopen notes: what a file says that it opens at run time. */
#include "closure/closure_finder.h"

/* Reads the notes of a file once, whatever processes it is in. */
static const struct dlopen_needs *needs_of(struct finder *finder, const struct load_object *object)
{
    struct arena *arena = finder->loader.arena;
    struct text path = text_of(object->content->path);
    struct dlopen_needs *needs = map_get(&finder->opened, path);
    if (needs)
        return needs;
    needs = arena_new(arena, struct dlopen_needs);
    struct text bytes = {object->content->data, (size_t)object->content->size_bytes};
    const char *why = bytes.ptr ? elf_dlopen_needs(arena, bytes, needs) : NULL;
    if (why)
        finder_note(finder, arena_printf(arena, "%s: %s", object->content->path, why));
    (void)map_add(&finder->opened, path, needs);
    return needs;
}

static const char *priority_name(enum dlopen_policy priority)
{
    return priority == DLOPEN_REQUIRED ? "requires" : priority == DLOPEN_RECOMMENDED ? "recommends" : "can use";
}

/* "libx.so.2 or libx.so.1 (for y)" */
static const char *describe(struct arena *arena, const struct dlopen_need *need)
{
    const char *names = strings_join(arena, &need->sonames, " or ");
    return need->feature ? arena_printf(arena, "%s (for %s)", names, need->feature) : names;
}

/* Opens the first of the alternatives that is there. */
static bool open_one(struct finder *finder, const struct loader *loader, struct load_list *list,
                     struct load_object *object, const struct dlopen_need *need)
{
    struct arena *arena = loader->arena;
    const char *path = object->file->entry->path;
    for (size_t i = 0; i < need->sonames.count; i++) {
        size_t first = list->count;
        struct load_need opened = loader_open(loader, list, object, need->sonames.items[i]);
        if (!opened.object)
            continue;
        const char *why =
            arena_printf(arena, "%s %s it at run time%s%s (dlopen note)", path, priority_name(need->priority),
                         need->feature ? " for " : "", need->feature ? need->feature : "");
        finder_keep_need(finder, &opened, why, path);
        finder_keep_needs(finder, list, first);
        return true;
    }
    return false;
}

static void follow(struct finder *finder, const struct loader *loader, struct load_list *list,
                   struct load_object *object, const struct dlopen_need *need)
{
    struct arena *arena = loader->arena;
    const char *path = object->file->entry->path;
    bool is_followed = need->priority <= finder->request->dlopen;
    for (size_t i = 0; i < need->sonames.count; i++) {
        if (loader_find(list, need->sonames.items[i]))
            return;
    }
    if (is_followed && open_one(finder, loader, list, object, need))
        return;
    if (is_followed) {
        struct missing missing = {.wanted = need->sonames.items[0],
                                  .needed_by = path,
                                  .is_opened = true,
                                  .is_optional =
                                      need->priority != DLOPEN_REQUIRED || finder->if_unloadable != UNLOADABLE_REFUSED};
        finder_report(finder, &missing);
    }
    if (!finder->request->is_partial)
        finder_note(finder, arena_printf(arena, "%s %s %s at run time; it is not in the image", path,
                                         priority_name(need->priority), describe(arena, need)));
}

void closure_follow_notes(struct finder *finder, const struct loader *loader, struct load_list *list)
{
    if (finder->request->dlopen == DLOPEN_NONE)
        return;
    for (size_t i = 0; i < list->count; i++) { /* which grows */
        struct load_object *object = list->items[i];
        const struct dlopen_needs *needs = needs_of(finder, object);
        for (size_t j = 0; j < needs->count; j++)
            follow(finder, loader, list, object, &needs->items[j]);
    }
}
