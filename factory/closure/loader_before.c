/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/loader_before.h"

#include "package/path.h"

#include <elf.h>

#define SAME_NAME_MAX 64 /* libraries of one name that are looked at: real packages have a few */

static void add(struct before *before, const struct sourced *file, const struct elf_facts *elf)
{
    const char *name = elf->soname ? elf->soname : path_basename(file->entry->path);
    struct sourced_list *list = map_get(&before->by_name, text_of(name));
    if (!list) {
        list = arena_new(before->arena, struct sourced_list);
        (void)map_add(&before->by_name, text_of(name), list);
    }
    if (list->count < SAME_NAME_MAX)
        list_add(before->arena, list, file);
}

/* Returns whether the loader looks into the directory of a path by itself, perhaps on newer machines only. */
static bool is_searched(const struct loader *loader, const char *path)
{
    return strstr(path, "/glibc-hwcaps/") || loader_is_builtin(loader, path_dirname(loader->arena, path));
}

void before_collect(struct arena *arena, const struct loader *loader, struct before *ret_before)
{
    const struct map *files = &loader->set->by_path;
    *ret_before = (struct before){.arena = arena, .by_name = {.arena = arena}};
    for (size_t i = 0; i < files->slots.count; i++) {
        const struct sourced *file = files->slots.items[i].value;
        const struct elf_facts *elf = file->entry->kind == ENTRY_FILE ? file->entry->elf : NULL;
        bool is_library = elf && !elf->broken && elf->type == ET_DYN && loader_is_for(elf, loader->arch);
        if (is_library && !is_searched(loader, file->entry->path))
            add(ret_before, file, elf);
    }
}

/* Returns whether a library lies in the directory of a file, or below. */
static bool is_beside(const char *library, const char *file)
{
    size_t len = (size_t)(path_basename(file) - file);
    return strncmp(library, file, len) == 0;
}

const struct sourced *before_find(const struct before *before, const struct sourced *file, const char *name)
{
    const struct sourced_list *list = map_get(&before->by_name, text_of(name));
    const struct sourced *of_package = NULL;
    for (size_t i = 0; list && i < list->count; i++) {
        const struct sourced *library = list->items[i];
        if (is_beside(library->entry->path, file->entry->path))
            return library;
        if (!of_package && library->package == file->package)
            of_package = library;
    }
    return of_package;
}
