/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/shell_links.h"

#include "package/path.h"

#define NAME_BYTES_MAX ((size_t)32)
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-["
#define TRIES_MAX 100

/* Reads names that end with a NUL each, up to an empty one or what cannot be a name. */
static void list_names(struct arena *arena, struct text bytes, struct strings *names)
{
    *names = (struct strings){0};
    while (names->count < SHELL_LINKS_MAX) {
        size_t room = bytes.len < NAME_BYTES_MAX ? bytes.len : NAME_BYTES_MAX;
        const char *end = memchr(bytes.ptr, '\0', room);
        if (!end || end == bytes.ptr || strspn(bytes.ptr, NAME_LETTERS) != (size_t)(end - bytes.ptr))
            return;
        struct text name = {bytes.ptr, (size_t)(end - bytes.ptr)};
        if (!text_is(name, ".") && !text_is(name, ".."))
            list_add(arena, names, text_dup(arena, name));
        bytes.ptr += name.len + 1;
        bytes.len -= name.len + 1;
    }
}

void shell_links_names(struct arena *arena, struct text bytes, struct strings *ret_names)
{
    static const char begin[] =
        "\0[\0[["; /* applet_names of busybox's include/applet_tables.h: sorted, the first two */
    struct strings names;
    *ret_names = (struct strings){0};
    for (int i = 0; i < TRIES_MAX && bytes.len; i++) {
        const char *at = memmem(bytes.ptr, bytes.len, begin, sizeof begin);
        if (!at)
            return;
        bytes.len -= (size_t)(at + 1 - bytes.ptr);
        bytes.ptr = at + 1;
        list_names(arena, bytes, &names);
        if (strings_has(&names, "sh")) {
            *ret_names = names;
            return;
        }
    }
}

static const char *giver_of(struct arena *arena, const struct family *family)
{
    return arena_printf(arena, "the shell %s, which the manifest wants", family->static_shell.name);
}

void shell_links_wish(struct arena *arena, const struct family *family, const char *package, struct wishes *wishes)
{
    struct wish_file program = {.path = family->static_shell.program, .giver = giver_of(arena, family)};
    list_add(arena, &program.packages, package);
    list_add(arena, &wishes->files, program);
}

/* Finds the program in the set: of a package that the family names. */
static const struct sourced *find_program(const struct fileset *set)
{
    const struct family_static_shell *shell = &set->family->static_shell;
    for (size_t i = 0; i < set->package_count; i++) {
        const struct package *package = set->packages[i];
        for (size_t j = 0; strings_has(&shell->packages, package->name) && j < package->count; j++) {
            const struct sourced *file = path_matches(shell->program, package->entries[j].path)
                                             ? fileset_find(set, package->entries[j].path)
                                             : NULL;
            if (file && file->package == package && file->entry->kind == ENTRY_FILE)
                return file;
        }
    }
    return NULL;
}

/* Where the family has a tool; NULL when it knows none of that name. */
static const char *tool_path(struct arena *arena, const struct family *family, const char *name)
{
    const char *in_sbin = arena_printf(arena, "sbin/%s", name);
    for (size_t i = 0; i < family->tools.count; i++) {
        if (strings_has(&family->tools.items[i].programs, name))
            return arena_printf(arena, "/usr/bin/%s", name);
        if (strings_has(&family->tools.items[i].programs, in_sbin))
            return arena_printf(arena, "/usr/%s", in_sbin);
    }
    return NULL;
}

static bool names_path(const struct manifest *manifest, const char *path)
{
    bool is_named = strings_has(&manifest->binaries, path);
    for (size_t i = 0; i < manifest->wishes.files.count && !is_named; i++)
        is_named = strcmp(manifest->wishes.files.items[i].path, path) == 0;
    return is_named;
}

static struct sourced *make_link(struct arena *arena, const struct sourced *program, const char *path)
{
    struct entry *entry = arena_new(arena, struct entry);
    struct sourced *link = arena_new(arena, struct sourced);
    *entry = (struct entry){.path = path,
                            .kind = ENTRY_SYMLINK,
                            .mode = 0777,
                            .mtime = program->package->build_time,
                            .target = program->entry->path};
    *link = (struct sourced){.package = program->package, .entry = entry};
    return link;
}

void shell_links_add(struct arena *arena, struct fileset *set, const struct manifest *manifest,
                     struct wishes *ret_wishes)
{
    struct strings names;
    const struct sourced *program = set->family && set->family->static_shell.name ? find_program(set) : NULL;
    *ret_wishes = (struct wishes){0};
    if (!program)
        return;
    const struct entry *content = program->entry;
    shell_links_names(arena, (struct text){content->data, (size_t)content->size_bytes}, &names);
    for (size_t i = 0; i < names.count; i++) {
        const char *tool = tool_path(arena, set->family, names.items[i]);
        const char *path = fileset_merged(set, tool ? tool : arena_printf(arena, "/usr/bin/%s", names.items[i]));
        if (strcmp(path, program->entry->path) == 0 || names_path(manifest, path))
            continue;
        struct sourced *link = make_link(arena, program, path);
        if (!tool) {
            (void)map_add(&set->by_path, text_of(path), link);
            continue;
        }
        map_set(&set->by_path, text_of(path), link);
        list_add(arena, &ret_wishes->files,
                 ((struct wish_file){.path = path, .is_optional = true, .giver = giver_of(arena, set->family)}));
    }
}
