/* SPDX-License-Identifier: Apache-2.0 */
/* What an ELF file brings: the process that it begins, or is opened in. */
#include "closure/closure_finder.h"

#include <elf.h>

static const char libc_name[] = "libc.so.6";
static const char libgcc_name[] = "libgcc_s.so.1";
static const char libgcc_why[] = "glibc opens it with dlopen for pthread_exit and pthread_cancel";

/* glibc's libc.so.6 opens libgcc_s.so.1 when a thread is cancelled or left, and aborts the process when it is not
 * there. */
static void keep_libgcc(struct finder *finder, const struct loader *loader, struct load_list *list)
{
    struct load_object *libc = loader_find(list, libc_name);
    for (size_t i = 0; !libc && finder->request->is_partial && i < list->count; i++) {
        if (strings_has(&list->items[i]->elf->needed, libc_name))
            libc = list->items[i]; /* libc.so.6 is not unpacked yet */
    }
    if (!libc)
        return;
    size_t first = list->count;
    struct load_need need = loader_open(loader, list, libc, libgcc_name);
    if (need.object || finder->request->is_partial)
        finder_keep_need(finder, &need, libgcc_why, libc->file->entry->path);
    finder_keep_needs(finder, list, first);
}

/* Takes the notes of a process; false when one says that it does not start. */
static bool take_notes(struct finder *finder, const struct load_list *list, struct err *err)
{
    for (size_t i = 0; i < list->notes.count; i++) {
        const struct load_note *note = &list->notes.items[i];
        if (note->is_fatal) {
            err_set(err, ERR_MALFORMED, "%s", note->text);
            return false;
        }
        finder_note(finder, note->text);
    }
    return true;
}

/* Of a library that is kept by itself: what it loads may be a program as well, as libc.so.6 is, and then has an
 * interpreter of its own, which is the loader that a program would have named. */
static void start_programs(struct finder *finder, const struct start *start, const struct load_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        const struct load_object *object = list->items[i];
        if (object->elf->interp)
            finder_start(finder, &(struct start){.file = object->file,
                                                 .path = object->file->entry->path,
                                                 .is_lenient = start->is_lenient,
                                                 .if_unloadable = start->if_unloadable});
    }
}

/* Why a process does not start, in a part of a sentence about its file; NULL when it does. */
static const char *why_not_started(struct finder *finder, const struct load_list *list)
{
    struct arena *arena = finder->loader.arena;
    const struct load_need *interpreter = &list->interpreter_need;
    for (size_t i = 0; i < list->notes.count; i++) {
        if (list->notes.items[i].is_fatal)
            return list->notes.items[i].text;
    }
    if (interpreter->name && !interpreter->object)
        return arena_printf(arena, "needs the interpreter %s", interpreter->name);
    for (size_t i = 0; i < list->count; i++) {
        const struct load_object *object = list->items[i];
        for (size_t j = 0; j < object->need_count; j++) {
            if (!object->needs[j].object)
                return arena_printf(arena, i ? "needs %s for %s" : "needs %s", object->needs[j].name,
                                    object->file->entry->path);
        }
    }
    return NULL;
}

/* Takes down that a root cannot be loaded, without which there is an image. */
static void fail_start(struct finder *finder, const struct start *start, const char *reason)
{
    struct failed_start failed = {*start, reason};
    list_add(finder->loader.arena, &finder->failed, failed);
}

/* Sets up a process. What a plug-in lacks may be loaded before it; whether it is lacking is only known when all packages
 * were looked into. */
static void load_process(struct finder *finder, struct loader *loader, const struct start *start,
                         struct load_list *ret_list)
{
    loader_load(loader, start->file, start->path, ret_list);
    if (finder->request->is_partial || ret_list->interpreter_need.name || !why_not_started(finder, ret_list))
        return;
    if (!finder->before) {
        finder->before = arena_new(loader->arena, struct before);
        before_collect(loader->arena, loader, finder->before);
    }
    loader->before = finder->before;
    loader_load(loader, start->file, start->path, ret_list);
}

/* Returns whether a process that need not start does. Only when all packages were looked into it is known not to. */
static bool is_startable(struct finder *finder, const struct start *start, const struct load_list *list)
{
    const char *reason = why_not_started(finder, list);
    if (!reason)
        return true;
    if (finder->request->is_partial)
        finder_doubt(finder, reason, start->file->entry->path, false);
    else
        fail_start(finder, start, reason);
    return false;
}

/* One process on one kind of machine. */
static bool run_process(struct finder *finder, const struct start *start, const struct strings *hwcaps, struct err *err)
{
    struct loader loader = finder->loader;
    struct load_list list;
    loader.hwcaps = *hwcaps;
    load_process(finder, &loader, start, &list);
    const char *path = start->file->entry->path;
    if (start->if_unloadable != UNLOADABLE_REFUSED) {
        if (!is_startable(finder, start, &list))
            return true;
        finder_keep_links(finder, &start->links, path);
        finder_keep_file(finder, start->file, NULL, NULL);
    }
    if (list.interpreter_need.name)
        finder_keep_need(finder, &list.interpreter_need, arena_printf(loader.arena, "interpreter of %s", path), path);
    else
        start_programs(finder, start, &list);
    finder_keep_needs(finder, &list, 0);
    keep_libgcc(finder, &loader, &list);
    closure_follow_notes(finder, &loader, &list);
    return take_notes(finder, &list, err);
}

bool closure_start_elf(struct finder *finder, const struct start *start, const struct entry *content, struct err *err)
{
    const char *why = loader_why_not(finder->loader.arena, content->elf, finder->loader.arch);
    if (why && start->if_unloadable != UNLOADABLE_REFUSED) {
        fail_start(finder, start, why);
        return true;
    }
    if (why)
        return finder_refuse(start->file, err, why);
    for (size_t i = 0; i < finder->machine_count; i++) {
        if (!run_process(finder, start, &finder->machines[i], err))
            return false;
    }
    return true;
}

void closure_settle_failed(struct finder *finder, struct unloadable_files *ret_files)
{
    struct map listed = {.arena = finder->loader.arena}; /* a library may be a root by the names of its links as well */
    *ret_files = (struct unloadable_files){0};
    for (size_t i = 0; i < finder->failed.count; i++) {
        const struct start *start = &finder->failed.items[i].start;
        if (finder_is_kept(finder, start->file) ||
            !map_add(&listed, text_of(start->file->entry->path), (void *)start->file))
            continue; /* kept in another process, or by somebody who insists */
        struct unloadable_file file = {.path = start->file->entry->path,
                                       .package = start->file->package->name,
                                       .reason = finder->failed.items[i].reason,
                                       .is_dropped = start->if_unloadable == UNLOADABLE_DROPPED};
        list_add(finder->loader.arena, ret_files, file);
    }
    for (size_t i = 0; i < finder->failed.count; i++) {
        const struct start *start = &finder->failed.items[i].start;
        if (start->if_unloadable != UNLOADABLE_KEPT)
            continue;
        finder->if_unloadable = UNLOADABLE_KEPT;
        finder_keep_links(finder, &start->links, start->file->entry->path);
        finder_keep_file(finder, start->file, NULL, NULL);
    }
}
