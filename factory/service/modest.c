#include "service/modest.h"

#include "package/path.h"

/* Whether a package that gives files anyhow has the library, as that of the C library has libm. */
static bool is_of_giver(struct modest *modest, const char *soname)
{
    const struct strings *dirs = &modest->request->arch->library_dirs;
    for (size_t i = 0; i < dirs->count; i++) {
        const char *path = arena_printf(modest->arena, "%s/%s", dirs->items[i], soname);
        const struct sourced *file = fileset_walk(modest->request->set, modest->arena, path, NULL, NULL);
        if (file && map_get(&modest->givers, text_of(file->package->name)))
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

/* What keeps a plug-in or script from being of use as the image is; NULL when nothing does. */
static const char *lack_of(struct modest *modest, const struct entry *content)
{
    for (size_t i = 0; content->elf && !content->elf->interp && i < content->elf->needed.count; i++) {
        if (!has_library(modest, content->elf->needed.items[i]))
            return content->elf->needed.items[i];
    }
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

/* What is there to load, by base name. */
static void list_offers(struct modest *modest)
{
    const struct automatic_request *request = modest->request;
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        (void)map_add(&modest->givers, text_of(file->package->name), (void *)file);
        (void)map_add(&modest->kept_paths, text_of(file->entry->path), (void *)file);
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
                                  .kept_paths = {.arena = arena},
                                  .kept = {.arena = arena},
                                  .givers = {.arena = arena},
                                  .offered = {.arena = arena},
                                  .lacks = {.arena = arena}};
    list_offers(ret_modest);
}
