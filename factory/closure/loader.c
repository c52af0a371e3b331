/* SPDX-License-Identifier: Apache-2.0 */
#include "closure/loader.h"

#include "closure/loader_before.h"
#include "closure/loader_search.h"
#include "package/path.h"

#define BUILTINS_MAX 16

/* Finds SYSTEM_DIRS in the loader's bytes: "/lib64/", "/usr/lib64/" and perhaps more, one string behind the other. What
 * is before the first may be anything. */
static struct text find_system_dirs(struct text bytes)
{
    static const char border[] = "/\0/usr/lib"; /* how the first string ends, and the second begins */
    size_t len = sizeof(border) - 1, usr_len = strlen("/usr");
    const char *end = bytes.ptr + bytes.len, *at = bytes.len ? memmem(bytes.ptr, bytes.len, border, len) : NULL;
    for (; at; at = memmem(at + 1, (size_t)(end - at - 1), border, len)) {
        const char *second = at + 2, *second_end = memchr(second, '\0', (size_t)(end - second));
        size_t first_len = second_end ? (size_t)(second_end - second) - usr_len : 0;
        if (first_len < 2 || first_len > (size_t)(at + 1 - bytes.ptr))
            continue;
        const char *first = at + 1 - first_len;
        if (memcmp(first, second + usr_len, first_len) == 0)
            return (struct text){first, (size_t)(end - first)};
    }
    return (struct text){0};
}

/* Adds a directory "/lib/" as "/lib", unless it is there by another name of a merged /usr. */
static void add_builtin(struct loader *loader, const char *dir)
{
    if (loader->set->is_exact || !loader_is_builtin(loader, dir))
        list_add(loader->arena, &loader->dirs, arena_strndup(loader->arena, dir, strlen(dir) - 1));
}

static const struct entry *find_own_loader(const struct loader *loader)
{
    for (size_t i = 0; i < loader->arch->loaders.count; i++) {
        const struct sourced *file =
            fileset_walk(loader->set, loader->arena, loader->arch->loaders.items[i], NULL, NULL);
        if (file && sourced_content(file))
            return sourced_content(file);
    }
    return NULL;
}

void loader_prepare(struct arena *arena, const struct arch *arch, const struct fileset *set, struct loader *ret_loader)
{
    *ret_loader = (struct loader){.arena = arena, .arch = arch, .set = set, .lib_token = arch->lib_token};
    ret_loader->steps = arena_new(arena, uint64_t);
    const struct entry *own = find_own_loader(ret_loader);
    struct text dirs = own ? find_system_dirs((struct text){own->data, (size_t)own->size_bytes}) : (struct text){0};
    while (dirs.len > 1 && *dirs.ptr == '/' && ret_loader->dirs.count < BUILTINS_MAX) {
        const char *end = memchr(dirs.ptr, '\0', dirs.len);
        if (!end || end[-1] != '/' || end - dirs.ptr > PATH_MAX_BYTES)
            break;
        add_builtin(ret_loader, dirs.ptr);
        dirs.len -= (size_t)(end + 1 - dirs.ptr);
        dirs.ptr = end + 1;
    }
    if (ret_loader->dirs.count)
        ret_loader->lib_token = ret_loader->dirs.items[0] + 1; /* "/lib64": $LIB is the name of that directory */
    else
        ret_loader->dirs = arch->library_dirs;
}

void loader_machines(struct arena *arena, const struct arch *arch, const struct strings *asked,
                     struct strings **ret_machines, size_t *ret_count)
{
    size_t count = 1;
    struct strings *machines = arena_new_array(arena, struct strings, arch->hwcaps.count + 1);
    for (size_t i = arch->hwcaps.count; i-- > 0;) { /* a better machine can also use what the lesser ones do */
        if (!strings_has(asked, arch->hwcaps.items[i]))
            continue;
        list_add(arena, &machines[count], arch->hwcaps.items[i]);
        for (size_t j = 0; j < machines[count - 1].count; j++)
            list_add(arena, &machines[count], machines[count - 1].items[j]);
        count++;
    }
    *ret_machines = machines;
    *ret_count = count;
}

/* Makes an object known by a name, unless another one is already. */
static void add_name(struct load_list *list, const char *name, struct load_object *object)
{
    if (name)
        (void)map_add(&list->names, text_of(name), object);
}

struct load_object *loader_find(const struct load_list *list, const char *name)
{
    return map_get(&list->names, text_of(name));
}

static struct load_object *make_object(const struct loader *loader, struct load_list *list, const struct sourced *file,
                                       const char *path, const struct load_object *brought_by)
{
    struct load_object *object = arena_new(loader->arena, struct load_object);
    const struct entry *content = sourced_content(file);
    *object = (struct load_object){.file = file,
                                   .content = content,
                                   .elf = content->elf,
                                   .path = path,
                                   .origin = path_dirname(loader->arena, path),
                                   .loader = brought_by};
    add_name(list, path, object);
    add_name(list, object->elf->soname, object);
    return object;
}

static void list_object(const struct loader *loader, struct load_list *list, struct load_object *object)
{
    if (object->is_listed)
        return;
    object->is_listed = true;
    list_add(loader->arena, list, object);
}

/* Of a plug-in's process: meets a need by what may have been loaded before it. */
static bool take_before(const struct loader *loader, const struct load_list *list, const struct load_object *object,
                        const char *name, struct load_need *need)
{
    bool is_plugin = loader->before && list->count && !list->items[0]->elf->interp;
    const struct sourced *file = is_plugin ? before_find(loader->before, object->file, name) : NULL;
    if (!file)
        return false;
    need->file = file;
    need->path = file->entry->path;
    need->step = LOAD_BEFORE;
    return true;
}

/* Looks up one need of `object`, and loads what meets it: _dl_map_object(). */
static struct load_need meet(const struct loader *loader, struct load_list *list, struct load_object *object,
                             const char *name)
{
    struct load_need need = {.name = name};
    const char *expanded = search_expand(loader, object->origin, text_of(name));
    if (!expanded) {
        search_note(loader, list, &(struct load_note){NOTE_NO_TOKEN, false, object, object->file, NULL},
                    "%s needs '%s', which cannot be expanded: not found", object->file->entry->path, name);
        return need;
    }
    if (!search_spend(loader, list, object, 1 + list->count / 16))
        return need;
    need.object = loader_find(list, expanded);
    if (need.object) {
        need.step = LOAD_KNOWN;
        list_object(loader, list, need.object);
        return need;
    }
    search_library(loader, list, object, expanded, &need);
    if (!need.file && !take_before(loader, list, object, expanded, &need))
        return need;
    need.object = search_loaded(list, sourced_content(need.file));
    if (!need.object)
        need.object = make_object(loader, list, need.file, need.path, object);
    add_name(list, expanded, need.object);
    list_object(loader, list, need.object);
    return need;
}

/* Looks up the needs of all objects that are new in the list, which grows by it: _dl_map_object_deps(). */
static void settle(const struct loader *loader, struct load_list *list)
{
    for (; list->settled_count < list->count; list->settled_count++) {
        struct load_object *object = list->items[list->settled_count];
        const struct strings *needed = &object->elf->needed;
        object->needs = arena_new_array(loader->arena, struct load_need, needed->count);
        for (size_t i = 0; i < needed->count; i++)
            object->needs[i] = meet(loader, list, object, needed->items[i]);
        object->need_count = needed->count;
    }
}

/* Loads PT_INTERP: known by that name and its DT_SONAME from the start, but in the scope only when something needs it.
 */
static void load_interpreter(const struct loader *loader, struct load_list *list, struct load_object *root)
{
    struct load_need *need = &list->interpreter_need;
    const char *path = root->elf->interp;
    const struct sourced *file = NULL;
    *need = (struct load_need){.name = path};
    if (*path == '/')
        file = fileset_walk(loader->set, loader->arena, path, &need->links, NULL);
    if (!file || file->entry->kind == ENTRY_DIRECTORY || file->entry->kind == ENTRY_SYMLINK)
        return;
    need->file = file;
    need->path = path;
    struct load_note note = {NOTE_INTERPRETER, true, root, file, NULL};
    const struct entry *content = sourced_content(file);
    const char *why =
        content && content->elf ? loader_why_not(loader->arena, content->elf, loader->arch) : "but no ELF file";
    if (why) {
        const char *package = file->package->name;
        search_note(loader, list, &note, "%s%s%s%s: interpreter of %s, %s", file->entry->path,
                    *package ? " (package " : "", package, *package ? ")" : "", root->file->entry->path, why);
        return;
    }
    if (!strings_has(&loader->arch->loaders, path)) {
        note.is_fatal = false;
        search_note(
            loader, list, &note,
            "%s is started by %s, which is not glibc's loader of %s: its libraries were looked for as glibc does",
            root->file->entry->path, path, loader->arch->name);
    }
    need->step = LOAD_INTERPRETER;
    need->object = search_loaded(list, content); /* the loader itself, started as a program */
    if (!need->object)
        need->object = make_object(loader, list, file, path, NULL);
    add_name(list, path, need->object);
    list->interpreter = need->object;
}

void loader_load(const struct loader *loader, const struct sourced *root, const char *path, struct load_list *ret_list)
{
    *ret_list = (struct load_list){.names = {.arena = loader->arena}};
    bool is_program = sourced_content(root)->elf->interp != NULL;
    const char *real = is_program ? root->entry->path : path;
    struct load_object *object = make_object(loader, ret_list, root, real, NULL);
    add_name(ret_list, path, object);
    list_object(loader, ret_list, object);
    if (is_program)
        load_interpreter(loader, ret_list, object);
    settle(loader, ret_list);
}

struct load_need loader_open(const struct loader *loader, struct load_list *list, struct load_object *opener,
                             const char *name)
{
    struct load_need need = meet(loader, list, opener, name);
    settle(loader, list);
    return need;
}
