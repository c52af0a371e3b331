/* SPDX-License-Identifier: Apache-2.0 */
#include "service/module_data.h"

#include "package/path.h"

#define MODULE_BYTES_MAX ((uint64_t)1 << 20)

/* The directories of a package that may be named, without those that were. */
struct places {
    struct strings dirs;
};

static bool is_module(const struct interpreters *interpreters, const char *path)
{
    for (size_t i = 0; i < interpreters->count; i++) {
        for (size_t j = 0; j < interpreters->items[i].files.count; j++) {
            if (path_matches(interpreters->items[i].files.items[j], path))
                return true;
        }
    }
    return false;
}

/* Whether files below a directory come by themselves, or are dispensable. */
static bool is_settled(struct arena *arena, const struct automatic_request *request, const char *dir)
{
    const struct family *family = request->set->family;
    const char *below = arena_printf(arena, "%s/x", dir);
    bool is_one = is_module(request->interpreters, below);
    for (size_t i = 0; family && i < family->dispensable.count && !is_one; i++)
        is_one = path_matches(family->dispensable.items[i], below);
    return is_one;
}

static void add_place(struct arena *arena, const struct automatic_request *request, const struct package *package,
                      const char *dir, struct places *places)
{
    const struct sourced *file = fileset_find(request->set, dir);
    bool is_one = file && file->entry->kind == ENTRY_DIRECTORY && !strings_has(&places->dirs, dir), is_of_it = false;
    for (; is_one && file && !is_of_it; file = file->shadowed)
        is_of_it = file->package == package;
    if (is_of_it && !is_settled(arena, request, dir))
        list_add(arena, &places->dirs, dir);
}

static struct places *places_of(struct arena *arena, const struct automatic_request *request,
                                const struct package *package)
{
    const char *names[] = {package->name, own_source(request, package->name)};
    struct places *places = arena_new(arena, struct places);
    *places = (struct places){0};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (!names[i])
            continue;
        add_place(arena, request, package, arena_printf(arena, "/usr/share/%s", names[i]), places);
        add_place(arena, request, package, arena_printf(arena, "/etc/%s", names[i]), places);
    }
    return places;
}

/* Whether a module says a path, with nothing of a name behind it. */
static bool says(const struct entry *content, const char *path)
{
    struct text rest = {content->data, (size_t)content->size_bytes};
    size_t len = strlen(path);
    const char *at;
    while ((at = memmem(rest.ptr, rest.len, path, len))) {
        size_t left = rest.len - (size_t)(at - rest.ptr) - len;
        char next = left ? at[len] : '\0';
        if (!((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || (next >= '0' && next <= '9') ||
              (next && strchr("-_.+", next))))
            return true;
        rest = (struct text){at + len, left};
    }
    return false;
}

static void want(struct arena *arena, const struct package *package, const char *dir, const char *module,
                 struct wishes *wishes)
{
    struct wish_file file = {.path = arena_printf(arena, "%s/**", dir),
                             .is_optional = true,
                             .is_lenient = true,
                             .giver = arena_printf(arena, "the module %s, which names it", module)};
    list_add(arena, &file.packages, package->name);
    list_add(arena, &wishes->files, file);
}

void module_data_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                      struct wishes *wishes)
{
    struct map by_package = {.arena = arena};
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const char *path = file->entry->path;
        struct text name = text_of(file->package->name);
        struct places *places = map_get(&by_package, name);
        if (own_has(own, file->package) || (places && !places->dirs.count) || !is_module(request->interpreters, path))
            continue;
        if (!places) {
            places = places_of(arena, request, file->package);
            map_set(&by_package, name, places);
        }
        const struct entry *content = places->dirs.count ? sourced_content(file) : NULL;
        if (!content || content->elf || content->size_bytes > MODULE_BYTES_MAX)
            continue;
        struct strings left = {0};
        for (size_t j = 0; j < places->dirs.count; j++) {
            if (says(content, places->dirs.items[j]))
                want(arena, file->package, places->dirs.items[j], path, wishes);
            else
                list_add(arena, &left, places->dirs.items[j]);
        }
        places->dirs = left;
    }
}
