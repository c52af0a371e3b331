/* What the closure has found so far: files that are kept, each once, with the reason that came first; what is missing; notes. */
#include "closure/closure_finder.h"

static bool is_kept(const struct finder *finder, const struct sourced *file)
{
    return map_get(&finder->kept, text_of(file->entry->path)) != NULL;
}

void finder_keep_file(struct finder *finder, const struct sourced *file, const char *why, const char *by)
{
    if (is_kept(finder, file))
        return;
    struct kept *kept = arena_new(finder->loader.arena, struct kept);
    *kept = (struct kept){file, why, by};
    (void)map_add(&finder->kept, text_of(file->entry->path), kept);
}

void finder_keep_links(struct finder *finder, const struct sourced_list *links, const char *leads_to)
{
    for (size_t i = 0; i < links->count; i++) {
        const struct sourced *link = links->items[i];
        if (!is_kept(finder, link))
            finder_keep_file(finder, link, arena_printf(finder->loader.arena, "link on the way to %s", leads_to),
                             leads_to);
    }
}

void finder_report(struct finder *finder, const struct missing *missing)
{
    const char *key = arena_printf(finder->loader.arena, "%s\n%s", missing->wanted, missing->needed_by);
    if (map_add(&finder->reported, text_of(key), (void *)key))
        list_add(finder->loader.arena, &finder->missing, *missing);
}

void finder_report_missing(struct finder *finder, const char *wanted, const char *needed_by, bool is_root)
{
    finder_report(finder, &(struct missing){.wanted = wanted, .needed_by = needed_by, .is_root = is_root});
}

void finder_note(struct finder *finder, const char *note)
{
    if (map_add(&finder->noted, text_of(note), (void *)note))
        list_add(finder->loader.arena, &finder->notes, note);
}

void finder_keep_need(struct finder *finder, const struct load_need *need, const char *why, const char *needed_by)
{
    finder->needs_cache = finder->needs_cache || need->step == LOAD_CACHE;
    if (need->file) {
        finder_keep_links(finder, &need->links, need->file->entry->path);
        if (!why && !is_kept(finder, need->file))
            why = arena_printf(finder->loader.arena, "needed by %s as %s", needed_by, need->name);
        finder_keep_file(finder, need->file, why, needed_by);
    } else if (!need->object) {
        finder_report_missing(finder, need->name, needed_by, false);
    }
}

void finder_keep_needs(struct finder *finder, const struct load_list *list, size_t first)
{
    for (size_t i = first; i < list->count; i++) {
        const struct load_object *object = list->items[i];
        for (size_t j = 0; j < object->need_count; j++)
            finder_keep_need(finder, &object->needs[j], NULL, object->file->entry->path);
    }
}
