/* SPDX-License-Identifier: Apache-2.0 */
#include "service/modest.h"

#include "package/path.h"

/* Whether a package that gives files anyhow, or for a service that is a script any that is selected, has the library, as that
 * of the C library has libm. */
static bool is_of_giver(struct modest *modest, const char *soname)
{
    const struct strings *dirs = &modest->request->arch->library_dirs;
    for (size_t i = 0; i < dirs->count; i++) {
        const char *path = arena_printf(modest->arena, "%s/%s", dirs->items[i], soname);
        const struct sourced *file = fileset_walk(modest->request->set, modest->arena, path, NULL, NULL);
        if (file && (modest->is_script || map_get(&modest->givers, text_of(file->package->name))))
            return true;
    }
    return false;
}

/* Whether a library is in the image, or an own package has it and it needs nothing else. */
static bool has_library(struct modest *modest, const char *soname)
{
    const struct strings *welcome = &modest->request->set->family->plugin_libraries;
    if (map_get(&modest->kept, text_of(soname)))
        return true;
    for (size_t i = 0; !modest->is_strict && i < welcome->count; i++) {
        if (path_matches(welcome->items[i], soname))
            return true;
    }
    const struct sourced *own = map_get(&modest->offered, text_of(soname));
    return own ? !modest_lacks(modest, own) : is_of_giver(modest, soname);
}

static const char *lack_of_library(struct modest *modest, const struct entry *content)
{
    for (size_t i = 0; content->elf && i < content->elf->needed.count; i++) {
        if (!has_library(modest, content->elf->needed.items[i]))
            return content->elf->needed.items[i];
    }
    return NULL;
}

/* What keeps a plug-in or script from being of use as the image is; NULL when nothing does. */
static const char *lack_of(struct modest *modest, const struct entry *content)
{
    const char *library = content->elf && content->elf->interp ? NULL : lack_of_library(modest, content);
    if (library)
        return library;
    if (content->elf || !content->interpreter || !(content->mode & 0111))
        return NULL;
    struct text rest = text_of(content->interpreter), interpreter;
    if (!text_next_word(&rest, &interpreter))
        return NULL;
    const char *path = text_dup(modest->arena, interpreter);
    size_t len = strlen(path);
    bool is_shell = len >= 2 && strcmp(path + len - 2, "sh") == 0; /* small, and looked into by themselves */
    const struct sourced *program =
        is_shell ? NULL : fileset_walk(modest->request->set, modest->arena, path, NULL, NULL);
    bool is_there = program && map_get(&modest->kept_paths, text_of(program->entry->path));
    return is_shell || is_there ? NULL : path_basename(path);
}

const char *modest_lacks(struct modest *modest, const struct sourced *file)
{
    static const char nothing[] = "";
    struct text key = text_of(file->entry->path);
    const char *known = map_get(&modest->lacks, key);
    const struct entry *content = sourced_content(file);
    if (!content)
        return NULL;
    if (!known) {
        map_set(&modest->lacks, key, (void *)nothing); /* libraries may need each other */
        const char *lack = lack_of(modest, content);
        known = lack ? lack : nothing;
        map_set(&modest->lacks, key, (void *)known);
    }
    return *known ? known : NULL;
}

const char *modest_program_lacks(struct modest *modest, const struct sourced *file)
{
    const struct entry *content = sourced_content(file);
    return content ? lack_of_library(modest, content) : NULL;
}

bool modest_dispenses(const struct modest *modest, const char *path)
{
    const struct family *family = modest->request->set->family;
    bool is_dispensable = false;
    for (size_t i = 0; family && i < family->dispensable.count && !is_dispensable; i++)
        is_dispensable = path_matches(family->dispensable.items[i], path);
    return is_dispensable;
}

/* Whether a file is a module that an interpreter of the image opens when a script asks for it. */
static bool is_module(const struct interpreters *interpreters, const char *path)
{
    for (size_t i = 0; interpreters && i < interpreters->count; i++) {
        for (size_t j = 0; j < interpreters->items[i].files.count; j++) {
            if (path_matches(interpreters->items[i].files.items[j], path))
                return true;
        }
    }
    return false;
}

/* Whether a file is a plug-in that only a glob of many asks for. Nobody named it, so what it brings is no reason for others to
 * come along: two of them could keep each other in the image. */
static bool is_one_of_many(const struct modest *modest, const struct kept *kept)
{
    const struct wishes *wishes = modest->request->wishes;
    const struct entry *content = sourced_content(kept->file);
    bool is_plugin = !kept->by && content && content->elf && !content->elf->interp, is_many = false;
    if (!is_plugin || (modest->is_strict && (own_has(modest->own, kept->file->package) ||
                                             is_module(modest->request->interpreters, kept->file->entry->path))))
        return false;
    for (size_t i = 0; wishes && i < wishes->files.count; i++) {
        const struct wish_file *wish = &wishes->files.items[i];
        if (strcmp(wish->path, kept->file->entry->path) == 0)
            return false;
        is_many = is_many ||
                  (wish->is_optional && path_is_glob(wish->path) && path_matches(wish->path, kept->file->entry->path));
    }
    return is_many;
}

/* Marks what a file that stays needs: the libraries, by any of their names. Returns whether there was something new. */
static bool mark_needed(struct modest *modest, const struct entry *content, const struct map *by_name)
{
    bool is_new = false;
    for (size_t i = 0; content && content->elf && i < content->elf->needed.count; i++) {
        const struct sourced *named = map_get(by_name, text_of(content->elf->needed.items[i]));
        const struct sourced *end =
            named ? fileset_walk(modest->request->set, modest->arena, named->entry->path, NULL, NULL) : NULL;
        is_new = (end && map_add(&modest->stays, text_of(end->entry->path), (void *)end)) || is_new;
    }
    return is_new;
}

/* Finds what stays in the image whichever of many plug-ins come along. */
static void find_staying(struct modest *modest)
{
    const struct keep *keep = modest->request->keep;
    struct map by_name = {.arena = modest->arena};
    for (size_t i = 0; i < keep->count; i++) {
        const struct kept *kept = &keep->items[i];
        (void)map_add(&by_name, text_of(path_basename(kept->file->entry->path)), (void *)kept->file);
        if (!kept->by && !is_one_of_many(modest, kept))
            map_set(&modest->stays, text_of(kept->file->entry->path), (void *)kept->file);
    }
    for (bool is_new = true; is_new;) {
        is_new = false;
        for (size_t i = 0; i < keep->count; i++) {
            const struct kept *kept = &keep->items[i];
            struct text path = text_of(kept->file->entry->path);
            if (!map_get(&modest->stays, path) && kept->by && map_get(&modest->stays, text_of(kept->by)))
                is_new = map_add(&modest->stays, path, (void *)kept->file);
            if (map_get(&modest->stays, path))
                is_new = mark_needed(modest, sourced_content(kept->file), &by_name) || is_new;
        }
    }
}

/* Whether what the image is for is a script that another interpreter than a shell runs. */
static bool is_script(const struct automatic_request *request, struct arena *arena)
{
    const struct strings *binaries = &request->manifest->binaries;
    const struct sourced *main =
        binaries->count ? fileset_walk(request->set, arena, binaries->items[0], NULL, NULL) : NULL;
    const struct entry *content = main ? sourced_content(main) : NULL;
    struct text rest = text_of(content && content->interpreter ? content->interpreter : ""), word;
    return text_next_word(&rest, &word) && !text_has_suffix(word, "sh");
}

/* What is there to load, by base name. */
static void list_offers(struct modest *modest)
{
    const struct automatic_request *request = modest->request;
    find_staying(modest);
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct sourced *end = fileset_walk(request->set, modest->arena, file->entry->path, NULL, NULL);
        (void)map_add(&modest->kept_paths, text_of(file->entry->path), (void *)file);
        if (!end || !map_get(&modest->stays, text_of(end->entry->path)))
            continue;
        (void)map_add(&modest->givers, text_of(file->package->name), (void *)file);
        (void)map_add(&modest->kept, text_of(path_basename(file->entry->path)), (void *)file);
    }
    for (size_t p = 0; p < modest->own->packages.count; p++) {
        const struct package *package = modest->own->packages.items[p];
        for (size_t i = 0; i < package->count; i++) {
            const char *path = package->entries[i].path;
            const struct sourced *file = fileset_walk(request->set, modest->arena, path, NULL, NULL);
            if (file && strstr(path, ".so"))
                (void)map_add(&modest->offered, text_of(path_basename(path)), (void *)file);
        }
    }
}

void modest_prepare(struct arena *arena, const struct automatic_request *request, const struct own *own, bool is_strict,
                    struct modest *ret_modest)
{
    *ret_modest = (struct modest){.arena = arena,
                                  .request = request,
                                  .own = own,
                                  .is_strict = is_strict,
                                  .stays = {.arena = arena},
                                  .is_script = !is_strict && is_script(request, arena),
                                  .kept_paths = {.arena = arena},
                                  .kept = {.arena = arena},
                                  .givers = {.arena = arena},
                                  .offered = {.arena = arena},
                                  .lacks = {.arena = arena}};
    list_offers(ret_modest);
}
