/* SPDX-License-Identifier: Apache-2.0 */
/* What the closure has found so far: files that are kept, each once, with the reason that came first; what is missing; notes. */
#include "closure/closure_finder.h"

static struct held *find_held(const struct finder *finder, const struct sourced *file)
{
    return map_get(&finder->kept, text_of(file->entry->path));
}

static struct held *hold(struct finder *finder, const struct sourced *file, const char *why, const char *by)
{
    struct held *held = find_held(finder, file);
    if (!held) {
        held = arena_new(finder->loader.arena, struct held);
        *held = (struct held){.kept = {file, why, by, finder->if_unloadable}};
        (void)map_add(&finder->kept, text_of(file->entry->path), held);
    }
    if (finder->if_unloadable < held->kept.if_unloadable)
        held->kept.if_unloadable = finder->if_unloadable;
    return held;
}

static struct held *hold_link(struct finder *finder, const struct sourced *link, const char *leads_to)
{
    bool is_new = !find_held(finder, link);
    const char *why = is_new ? arena_printf(finder->loader.arena, "link on the way to %s", leads_to) : NULL;
    return hold(finder, link, why, leads_to);
}

void finder_keep_file(struct finder *finder, const struct sourced *file, const char *why, const char *by)
{
    hold(finder, file, why, by)->is_kept = true;
}

bool finder_is_kept(const struct finder *finder, const struct sourced *file)
{
    const struct held *held = find_held(finder, file);
    return held && held->is_kept;
}

void finder_start(struct finder *finder, const struct start *start)
{
    const char *key = arena_printf(finder->loader.arena, "%u %d %d %s", start->script_depth, start->is_lenient,
                                   (int)start->if_unloadable, start->path);
    if (map_add(&finder->started, text_of(key), (void *)key))
        list_add(finder->loader.arena, &finder->starts, *start);
}

bool finder_refuse(const struct sourced *file, struct err *err, const char *reason)
{
    err_set(err, ERR_MALFORMED, "%s (package %s): %s", file->entry->path, file->package->name, reason);
    return false;
}

void finder_hold_file(struct finder *finder, const struct sourced *file, const char *why)
{
    (void)hold(finder, file, why, NULL);
}

void finder_keep_links(struct finder *finder, const struct sourced_list *links, const char *leads_to)
{
    for (size_t i = 0; i < links->count; i++)
        hold_link(finder, links->items[i], leads_to)->is_kept = true;
}

void finder_hold_links(struct finder *finder, const struct sourced_list *links, const char *leads_to)
{
    for (size_t i = 0; i < links->count; i++)
        (void)hold_link(finder, links->items[i], leads_to);
}

void finder_report(struct finder *finder, const struct missing *missing)
{
    struct arena *arena = finder->loader.arena;
    const char *key = arena_printf(arena, "%s\n%s", missing->wanted, missing->needed_by);
    size_t *place = map_get(&finder->reported, text_of(key));
    if (place) {
        struct missing *reported = &finder->missing.items[*place];
        reported->is_optional = reported->is_optional && missing->is_optional;
        reported->is_doubtful = reported->is_doubtful && missing->is_doubtful;
        return;
    }
    place = arena_new(arena, size_t);
    *place = finder->missing.count;
    (void)map_add(&finder->reported, text_of(key), place);
    list_add(arena, &finder->missing, *missing);
}

void finder_report_missing(struct finder *finder, const char *wanted, const char *needed_by, bool is_root)
{
    finder_report(finder, &(struct missing){.wanted = wanted,
                                            .needed_by = needed_by,
                                            .is_root = is_root,
                                            .is_optional = finder->if_unloadable != UNLOADABLE_REFUSED});
}

void finder_doubt(struct finder *finder, const char *wanted, const char *needed_by, bool is_root)
{
    finder_report(finder, &(struct missing){.wanted = wanted,
                                            .needed_by = needed_by,
                                            .is_root = is_root,
                                            .is_optional = finder->if_unloadable != UNLOADABLE_REFUSED,
                                            .is_doubtful = true});
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
        if (!why && !find_held(finder, need->file))
            why = arena_printf(finder->loader.arena, "needed by %s as %s%s", needed_by, need->name,
                               need->step == LOAD_BEFORE ? ", which is opened before it" : "");
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
