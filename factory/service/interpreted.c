/* SPDX-License-Identifier: Apache-2.0 */
#include "service/interpreted.h"

#include "package/path.h"
#include "package/script.h"

const struct interpreter *interpreted_by(const struct interpreters *interpreters, const char *path)
{
    for (size_t i = 0; i < interpreters->count; i++) {
        const struct strings *programs = &interpreters->items[i].programs;
        for (size_t j = 0; j < programs->count; j++) {
            if (path_matches(programs->items[j], path))
                return &interpreters->items[i];
        }
    }
    return NULL;
}

/* Finds a program where env(1) looks for it. */
static const char *search(struct arena *arena, const struct fileset *set, const char *name)
{
    const char *path = NULL;
    for (size_t i = 0; script_path_dirs[i]; i++) {
        if (fileset_walk(set, arena, arena_printf(arena, "%s/%s", script_path_dirs[i], name), NULL, &path))
            return path;
    }
    return NULL;
}

const char *interpreted_program(struct arena *arena, const struct automatic_request *request, const struct kept *kept)
{
    const struct entry *content = sourced_content(kept->file);
    struct text rest = text_of(content && content->interpreter ? content->interpreter : ""), word;
    const char *path = NULL;
    if (!content || !(content->mode & 0111) || !text_next_word(&rest, &word))
        return NULL;
    const char *program = text_dup(arena, word);
    const char *name =
        strcmp(path_basename(program), "env") == 0 ? script_env_program(arena, text_trim(rest)) : program;
    if (name && !strchr(name, '/'))
        return search(arena, request->set, name);
    return name && fileset_walk(request->set, arena, name, NULL, &path) ? path : NULL;
}

static void add_globs(struct arena *arena, const struct interpreter *interpreter, const struct strings *globs,
                      const struct strings *packages, const char *giver, struct wishes *wishes)
{
    for (size_t i = 0; i < globs->count; i++)
        list_add(arena, &wishes->files,
                 (struct wish_file){.path = globs->items[i],
                                    .packages = *packages,
                                    .except = interpreter->except,
                                    .is_optional = true,
                                    .is_lenient = true,
                                    .giver = giver});
}

static void add_files(struct arena *arena, const struct interpreter *interpreter, const struct own *own,
                      const char *giver, struct wishes *wishes)
{
    const struct strings any = {0};
    add_globs(arena, interpreter, &interpreter->files, &any, giver, wishes);
    if (own->names.count)
        add_globs(arena, interpreter, &interpreter->own, &own->names, giver, wishes);
}

static const char *giver_of(struct arena *arena, const struct interpreter *interpreter, const struct kept *kept)
{
    const char *path = kept->file->entry->path;
    return kept->by ? arena_printf(arena, "%s, of which %s keeps %s", interpreter->name, kept->by, path)
                    : arena_printf(arena, "%s, of which %s is", interpreter->name, path);
}

/* Finds a file of the service that matches one of the globs; NULL when there is none. */
static const char *find_own(const struct own *own, const struct strings *globs)
{
    for (size_t i = 0; globs->count && i < own->packages.count; i++) {
        const struct package *package = own->packages.items[i];
        for (size_t j = 0; j < package->count; j++) {
            for (size_t k = 0; k < globs->count; k++) {
                if (path_matches(globs->items[k], package->entries[j].path))
                    return package->entries[j].path;
            }
        }
    }
    return NULL;
}

/* Whether a kept file of the service itself needs a library by its name. */
static bool is_needed_by_own(const struct automatic_request *request, const struct own *own, const char *soname)
{
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct sourced *file = request->keep->items[i].file;
        const struct entry *content = own_has(own, file->package) ? sourced_content(file) : NULL;
        if (content && content->elf && strings_has(&content->elf->needed, soname))
            return true;
    }
    return false;
}

/* Whether an interpreter is there only as a library that other packages' libraries need, as net-snmp's need Perl's: what the
 * service does by itself does not go through it. */
static bool is_borrowed(struct arena *arena, const struct automatic_request *request, const struct own *own,
                        const struct kept *kept, const struct interpreter *interpreter)
{
    const struct sourced *end = fileset_walk(request->set, arena, kept->file->entry->path, NULL, NULL);
    const struct entry *content = end ? sourced_content(end) : NULL;
    const char *soname = content && content->elf && !content->elf->interp ? content->elf->soname : NULL;
    if (!soname || !kept->by || own_has(own, end->package))
        return false;
    return !is_needed_by_own(request, own, soname) && !find_own(own, &interpreter->own);
}

/* A library is there once, whatever links lead to it. */
static void note_borrowed(struct arena *arena, const struct interpreter *interpreter, const struct kept *kept,
                          struct strings *notes)
{
    if (kept->file->entry->kind != ENTRY_SYMLINK)
        list_add(arena, notes,
                 arena_printf(arena, "%s needs %s; the modules of %s are left out, as nothing of the service is for it",
                              kept->by, path_basename(kept->file->entry->path), interpreter->name));
}

void interpreted_find(struct arena *arena, const struct automatic_request *request, const struct own *own,
                      struct wishes *wishes, struct strings *notes)
{
    const struct interpreters *interpreters = request->interpreters;
    bool *is_done = arena_new_array(arena, bool, interpreters->count + 1);
    struct strings told = {0};
    for (size_t i = 0; i < interpreters->count; i++) {
        const char *sign = find_own(own, &interpreters->items[i].signs);
        if (sign)
            add_files(arena, &interpreters->items[i], own,
                      arena_printf(arena, "%s, for which %s is", interpreters->items[i].name, sign), wishes);
        is_done[i] = sign != NULL;
    }
    for (size_t i = 0; i < request->keep->count; i++) {
        const struct kept *kept = &request->keep->items[i];
        const struct interpreter *interpreter = interpreted_by(interpreters, kept->file->entry->path);
        if (interpreter && !is_done[interpreter - interpreters->items]) {
            bool is_left_out = is_borrowed(arena, request, own, kept, interpreter);
            is_done[interpreter - interpreters->items] = !is_left_out;
            if (is_left_out)
                note_borrowed(arena, interpreter, kept, notes);
            else
                add_files(arena, interpreter, own, giver_of(arena, interpreter, kept), wishes);
        }
        const char *program = interpreted_program(arena, request, kept);
        if (!program || interpreted_by(interpreters, program) || strings_has(&told, program))
            continue;
        list_add(arena, &told, program);
        list_add(arena, notes,
                 arena_printf(arena, "%s runs %s, and nothing is known of what it needs for that", program,
                              kept->file->entry->path));
    }
}
