/* SPDX-License-Identifier: Apache-2.0 */
#include "service/signs.h"

#include "package/elf_symbols.h"
#include "package/path.h"

#include <elf.h>

/* What the files of the service show; each list without order. */
struct shown {
    struct map needed, loaded, imports; /* names → anything */
    struct strings paths;
};

static void show_imports(struct arena *arena, const struct entry *content, struct shown *shown)
{
    struct elf_symbols symbols;
    elf_symbols_read(arena, (struct text){content->data, (size_t)content->size_bytes}, &symbols);
    for (size_t i = 1; !symbols.broken && i < symbols.count; i++) {
        struct elf_symbol symbol = elf_symbols_get(&symbols, i);
        if (symbol.section == SHN_UNDEF)
            (void)map_add(&shown->imports, text_of(symbol.name), (void *)content);
    }
}

static void show_file(struct arena *arena, const struct automatic_request *request, const struct entry *content,
                      struct shown *shown)
{
    for (size_t i = 0; content->elf && i < content->elf->needed.count; i++)
        (void)map_add(&shown->needed, text_of(content->elf->needed.items[i]), (void *)content);
    if (content->elf && !content->elf->broken)
        show_imports(arena, content, shown);
    const struct strings *paths = references_of(request->references, content->path);
    for (size_t i = 0; paths && i < paths->count; i++)
        list_add(arena, &shown->paths, paths->items[i]);
}

static bool matches_any(const struct map *names, const struct strings *wanted)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (map_get(names, text_of(wanted->items[i])))
            return true;
        for (size_t j = 0; path_is_glob(wanted->items[i]) && j < names->slots.count; j++) {
            if (path_matches(wanted->items[i], names->slots.items[j].key.ptr))
                return true;
        }
    }
    return false;
}

static bool names_any(const struct strings *paths, const struct strings *wanted)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (path_is_within_any(paths->items[i], wanted))
            return true;
    }
    return false;
}

static bool is_shown(const struct shown *shown, const struct feature_signs *signs)
{
    return matches_any(&shown->needed, &signs->needed) || matches_any(&shown->loaded, &signs->loaded) ||
           matches_any(&shown->imports, &signs->imports) || names_any(&shown->paths, &signs->names);
}

/* The glob without what is not modest, and what the family calls dispensable. Of one that the feature is nothing without, all
 * comes along when nothing would be left: an event loop brings its library. */
static struct wish_file spare(struct modest *modest, const struct wish_file *file)
{
    struct wish_file spared = *file;
    const char *why, *glob = path_canonical(modest->arena, text_of(file->path), &why);
    const struct fileset *set = modest->request->set;
    size_t remaining = 0;
    for (size_t i = 0; i < file->packages.count; i++)
        fileset_seek_package(set, file->packages.items[i]);
    for (size_t p = 0; glob && path_is_glob(glob) && p < set->package_count; p++) {
        const struct package *package = set->packages[p];
        if (!strings_has(&file->packages, package->name))
            continue;
        for (size_t i = 0; i < package->count; i++) {
            const char *path = package->entries[i].path;
            const struct sourced *end =
                path_matches(glob, path) ? fileset_walk(set, modest->arena, path, NULL, NULL) : NULL;
            bool is_left_out = end && (modest_lacks(modest, end) || modest_dispenses(modest, path));
            remaining += end && !is_left_out;
            if (is_left_out)
                list_add(modest->arena, &spared.except, path);
        }
    }
    return remaining || file->is_optional ? spared : *file;
}

static void add_feature(struct modest *modest, const struct feature *feature, struct automatic *found)
{
    struct wishes wishes = feature->wishes;
    memset(&wishes.files, 0, sizeof wishes.files);
    for (size_t i = 0; i < feature->wishes.files.count; i++)
        list_add(modest->arena, &wishes.files, spare(modest, &feature->wishes.files.items[i]));
    found->wishes = wishes_join(modest->arena, &found->wishes, &wishes);
}

void signs_find(struct modest *modest, struct automatic *found)
{
    struct arena *arena = modest->arena;
    const struct automatic_request *request = modest->request;
    struct shown shown = {.needed = {.arena = arena}, .loaded = {.arena = arena}, .imports = {.arena = arena}};
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = sourced_content(file);
        const char *base = path_basename(file->entry->path);
        (void)map_add(&shown.loaded, text_of(base), (void *)file);
        if (content && own_has(modest->own, file->package))
            show_file(arena, request, content, &shown);
    }
    for (size_t i = 0; i < request->features->count; i++) {
        const struct feature *feature = &request->features->items[i];
        if (is_shown(&shown, &feature->signs) && !strings_has(&request->manifest->features, feature->name))
            add_feature(modest, feature, found);
    }
}
