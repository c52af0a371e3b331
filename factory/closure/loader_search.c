/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/loader_search.h"

#include "base/auto.h"
#include "package/path.h"

#include <elf.h>
#include <stdarg.h>
#include <stdio.h>

#define NOTE_BYTES 2048 /* a longer note is cut */

/* Returns the length of token `name` at `at` (behind the '$'), braces included, or 0: is_dst() of dl-load.c. */
static size_t token_length(struct text at, const char *name)
{
    bool has_brace = at.len && at.ptr[0] == '{';
    size_t len = strlen(name);
    if (has_brace)
        at = (struct text){at.ptr + 1, at.len - 1};
    if (!text_has_prefix(at, name))
        return 0;
    char next = at.len > len ? at.ptr[len] : '\0';
    if (has_brace)
        return next == '}' ? len + 2 : 0;
    bool goes_on = (next >= 'A' && next <= 'Z') || (next >= 'a' && next <= 'z') || (next >= '0' && next <= '9');
    return goes_on || next == '_' ? 0 : len;
}

/* Expands the token at `at`: its length, 0 when it is none; *ret_value is NULL when it has no value. */
static size_t expand_token(const struct loader *loader, const char *origin, struct text at, const char **ret_value)
{
    const struct {
        const char *name, *value;
    } tokens[] = {{"ORIGIN", origin}, {"LIB", loader->lib_token}, {"PLATFORM", loader->arch->platform_token}};
    for (size_t i = 0; i < ARRAY_COUNT(tokens); i++) {
        size_t len = token_length(at, tokens[i].name);
        if (len) {
            *ret_value = tokens[i].value;
            return len;
        }
    }
    return 0;
}

const char *search_expand(const struct loader *loader, const char *origin, struct text text)
{
    if (!text.len || !memchr(text.ptr, '$', text.len))
        return text_dup(loader->arena, text);
    struct buf result AUTO(buf_done);
    buf_init(&result, PATH_MAX_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        const char *value = NULL;
        struct text behind = {text.ptr + i + 1, text.len - i - 1};
        size_t len = text.ptr[i] == '$' ? expand_token(loader, origin, behind, &value) : 0;
        if (len && !value)
            return NULL;
        bool fits = len ? buf_add(&result, value, strlen(value)) : buf_add(&result, text.ptr + i, 1);
        if (!fits)
            return NULL; /* no such path can exist */
        i += len;
    }
    return arena_strndup(loader->arena, result.bytes, result.len);
}

void search_note(const struct loader *loader, struct load_list *list, const struct load_note *note, const char *format,
                 ...)
{
    char text[NOTE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (size_t i = 0; i < list->notes.count; i++) {
        if (strcmp(list->notes.items[i].text, text) == 0)
            return; /* the same search path was looked at before */
    }
    struct load_note added = *note;
    added.text = arena_strdup(loader->arena, text);
    list_add(loader->arena, &list->notes, added);
}

bool search_spend(const struct loader *loader, struct load_list *list, const struct load_object *object, uint64_t steps)
{
    bool was_left = *loader->steps <= LOADER_STEPS_MAX;
    *loader->steps += steps;
    bool is_left = *loader->steps <= LOADER_STEPS_MAX;
    if (was_left && !is_left)
        search_note(
            loader, list, &(struct load_note){NOTE_BROKEN, true, object, object->file, NULL},
            "%s: its libraries' search paths, or those before it, take too long to search; nothing more is found",
            object->file->entry->path);
    return is_left;
}

/* A search under way. */
struct search {
    const struct loader *loader;
    struct load_list *list;
    const struct load_object *object;
    const char *name;
    struct load_need *need;
    bool is_over; /* found, or a file that stops the loader */
};

static void stop(struct search *search, const struct sourced *file, const char *reason)
{
    const char *package = file->package->name;
    search->is_over = true;
    search_note(search->loader, search->list, &(struct load_note){NOTE_BROKEN, true, search->object, file, NULL},
                "%s%s%s%s, needed by %s as %s: %s", file->entry->path, *package ? " (package " : "", package,
                *package ? ")" : "", search->object->file->entry->path, search->name, reason);
}

/* Why the loader stops at the file, or NULL. */
static const char *why_not_loadable(struct arena *arena, const struct elf_facts *elf)
{
    if (elf->broken)
        return arena_printf(arena, "broken ELF: %s", elf->broken);
    if (elf->type != ET_DYN && elf->type != ET_EXEC)
        return "it is neither a shared object nor an executable";
    if (!elf->has_dynamic) /* a separate debug file, too */
        return "it has no dynamic section";
    if (elf->os_abi != ELFOSABI_SYSV && elf->os_abi != ELFOSABI_GNU &&
        !(elf->machine == EM_ARM && elf->os_abi == ELFOSABI_ARM_AEABI))
        return arena_printf(arena, "it is for another operating system (OS ABI %u)", (unsigned)elf->os_abi);
    return NULL;
}

struct load_object *search_loaded(const struct load_list *list, const struct entry *content)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i]->content == content)
            return list->items[i];
    }
    return list->interpreter && list->interpreter->content == content ? list->interpreter : NULL;
}

/* Where a path leads to, for all processes that try it. */
struct walked {
    const struct sourced *file;
    struct sourced_list links;
};

/* Walks a path, or remembers where it leads to: the processes of an image try the same few over and over. */
static const struct sourced *walk(const struct loader *loader, const char *path, struct sourced_list *ret_links)
{
    struct map *walks = loader->walks;
    if (!walks)
        return fileset_walk(loader->set, loader->arena, path, ret_links, NULL);
    struct walked *walked = map_get(walks, text_of(path));
    if (!walked) {
        walked = arena_new(walks->arena, struct walked);
        walked->file = fileset_walk(loader->set, walks->arena, path, &walked->links, NULL);
        walked->links.capacity = walked->links.count; /* who adds to a copy of the list gets another array */
        (void)map_add(walks, text_of(arena_strdup(walks->arena, path)), walked);
    }
    *ret_links = walked->links;
    return walked->file;
}

/* Tries one path: open_verify(). */
static void try_path(struct search *search, const char *path)
{
    const struct loader *loader = search->loader;
    struct sourced_list links = {0};
    if (!search_spend(loader, search->list, search->object, 1)) {
        search->is_over = true;
        return;
    }
    const struct sourced *file = walk(loader, path, &links);
    if (!file || file->entry->kind == ENTRY_DIRECTORY || file->entry->kind == ENTRY_SYMLINK)
        return;
    const struct entry *content = sourced_content(file);
    if (!content || !content->elf) {
        stop(search, file, "it is no ELF file, the loader would stop at it");
        return;
    }
    const struct elf_facts *elf = content->elf;
    if (elf->machine && !loader_is_for(elf, loader->arch)) {
        search_note(loader, search->list, &(struct load_note){NOTE_OTHER_MACHINE, false, search->object, file, NULL},
                    "%s, looked at for %s of %s, is for %s with flags 0x%x: passed over", path, search->name,
                    search->object->file->entry->path,
                    loader_describe(loader->arena, elf->machine, elf->elf_class, elf->is_big_endian),
                    (unsigned)elf->flags);
        return;
    }
    const char *why = why_not_loadable(loader->arena, elf);
    if (!why && !search_loaded(search->list, content) && (elf->type == ET_EXEC || elf->is_pie))
        why = "it is an executable, which the loader does not load as a library";
    if (why) {
        stop(search, file, why);
        return;
    }
    search->is_over = true;
    search->need->path = path;
    search->need->file = file;
    search->need->links = links;
}

static const char *join(struct arena *arena, const char *dir, const char *name)
{
    size_t dir_len = strlen(dir), name_bytes = strlen(name) + 1;
    char *path = arena_alloc(arena, dir_len + 1 + name_bytes);
    memcpy(path, dir, dir_len);
    path[dir_len] = '/';
    memcpy(path + dir_len + 1, name, name_bytes);
    return path;
}

/* Tries a directory; before it its directories for newer machines. */
static void try_dir(struct search *search, const char *dir)
{
    const struct loader *loader = search->loader;
    for (size_t i = 0; i < loader->hwcaps.count && !search->is_over; i++)
        try_path(search,
                 arena_printf(loader->arena, "%s/glibc-hwcaps/%s/%s", dir, loader->hwcaps.items[i], search->name));
    if (!search->is_over)
        try_path(search, join(loader->arena, dir, search->name));
}

/* Tries one element of a DT_RPATH or DT_RUNPATH of `owner`. */
static void try_element(struct search *search, const struct load_object *owner, const char *tag, struct text element)
{
    const struct loader *loader = search->loader;
    struct load_note note = {.object = owner, .file = owner->file};
    const char *dir = search_expand(loader, owner->origin, element);
    if (!dir) {
        note.kind = NOTE_NO_TOKEN;
        search_note(loader, search->list, &note, "%s: the element '%.*s' of its %s cannot be expanded: left out",
                    owner->file->entry->path, (int)element.len, element.ptr, tag);
    } else if (*dir != '/') {
        note.kind = NOTE_CURRENT_DIR;
        search_note(loader, search->list, &note, "%s: the element '%s' of its %s means the current directory: left out",
                    owner->file->entry->path, dir, tag);
    } else {
        size_t len = strlen(dir);
        while (len && dir[len - 1] == '/')
            len--;
        try_dir(search, arena_strndup(loader->arena, dir, len));
    }
}

/* Searches a DT_RPATH or DT_RUNPATH of `owner`. One that is empty as a whole counts as none. */
static void try_path_list(struct search *search, const struct load_object *owner, const char *tag, const char *list)
{
    const char *at = *list ? list : NULL;
    while (at && !search->is_over) {
        const char *end = strchrnul(at, ':');
        try_element(search, owner, tag, (struct text){at, (size_t)(end - at)});
        at = *end ? end + 1 : NULL;
    }
}

/* DT_RPATH of the object and of those that brought it. */
static void try_rpaths(struct search *search)
{
    for (const struct load_object *owner = search->object; owner && !search->is_over; owner = owner->loader) {
        if (!owner->elf->rpath || owner->elf->runpath)
            continue;
        try_path_list(search, owner, "DT_RPATH", owner->elf->rpath);
        if (search->is_over) {
            search->need->step = LOAD_RPATH;
            search->need->owner = owner;
        }
    }
}

static void try_default_dirs(struct search *search)
{
    const struct strings *dirs = &search->loader->dirs;
    for (size_t i = 0; i < dirs->count && !search->is_over; i++)
        try_dir(search, dirs->items[i]);
    search->need->step = LOAD_DEFAULT;
}

/* Returns whether a path lies below one of the built-in directories, however deep. */
static bool is_below_default_dirs(const struct loader *loader, const char *path)
{
    const char *why;
    path = path_canonical(loader->arena, text_of(path), &why);
    for (size_t i = 0; path && i < loader->dirs.count; i++) {
        const char *dir = path_canonical(loader->arena, text_of(loader->dirs.items[i]), &why);
        if (dir && strncmp(path, dir, strlen(dir)) == 0 && path[strlen(dir)] == '/')
            return true;
    }
    return false;
}

/* Looks into the cache. What the built-in directories give as well is theirs: for that no cache is needed. */
static void try_cache(struct search *search)
{
    const struct loader *loader = search->loader;
    const char *path = loader->cache ? ld_cache_find(loader->cache, loader->arch, search->name, &loader->hwcaps) : NULL;
    if (!path || (search->object->elf->has_nodeflib && is_below_default_dirs(loader, path)))
        return;
    try_path(search, path);
    search->need->step = LOAD_CACHE;
    if (!search->need->file || !is_below_default_dirs(loader, path))
        return;
    struct load_need cached = *search->need;
    *search->need = (struct load_need){.name = cached.name};
    search->is_over = false;
    try_default_dirs(search);
    if (search->need->file != cached.file)
        *search->need = cached;
    search->is_over = true;
}

static void search_dirs(struct search *search)
{
    const struct load_object *object = search->object;
    if (!object->elf->runpath) {
        try_rpaths(search);
    } else {
        try_path_list(search, object, "DT_RUNPATH", object->elf->runpath);
        search->need->step = LOAD_RUNPATH;
        search->need->owner = object;
    }
    if (!search->is_over)
        try_cache(search);
    if (!search->is_over && !object->elf->has_nodeflib)
        try_default_dirs(search);
}

void search_library(const struct loader *loader, struct load_list *list, const struct load_object *object,
                    const char *name, struct load_need *need)
{
    struct search search = {loader, list, object, name, need, false};
    if (!strchr(name, '/') && *name) {
        search_dirs(&search);
    } else if (*name == '/') {
        need->step = LOAD_PATH;
        try_path(&search, name);
    } else {
        search_note(loader, list, &(struct load_note){NOTE_CURRENT_DIR, false, object, object->file, NULL},
                    "%s needs '%s', which means the current directory: not found", object->file->entry->path, name);
    }
    if (!need->file)
        need->step = LOAD_NOWHERE;
    if (need->step != LOAD_RPATH && need->step != LOAD_RUNPATH)
        need->owner = NULL;
}
