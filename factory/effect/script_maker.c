/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/script_maker.h"

#include "package/path.h"

#include <assert.h>

#define MADE_MAX 10000

const char *script_path(const struct script_maker *maker, const struct shell_word *word)
{
    static const char *const not_in_images[] = {"/dev/", "/proc/", "/sys/"};
    const char *reason;
    if (!word->is_constant || word->text[0] != '/' || strchr(word->text, '\n')) /* databases have a line for a path */
        return NULL;
    const char *path = path_canonical(maker->arena, text_of(word->text), &reason);
    for (size_t i = 0; path && i < ARRAY_COUNT(not_in_images); i++) {
        if (strncmp(path, not_in_images[i], strlen(not_in_images[i])) == 0)
            return NULL;
    }
    return path && path[1] ? path_through_run(maker->arena, path) : NULL;
}

uint32_t script_new_mode(const struct script_maker *maker, uint32_t mode)
{
    return mode & ~(maker->at ? maker->at->call.umask : SCRIPT_UMASK);
}

struct wish_made *script_made(const struct script_maker *maker, const char *path)
{
    const size_t *place = map_get(&maker->made, text_of(path));
    if (!place || !*place)
        return NULL;
    assert(maker->wishes->made.items);
    return &maker->wishes->made.items[*place - 1];
}

struct wish_made *script_make(struct script_maker *maker, enum wish_made_kind kind, const char *path)
{
    const struct wish_made new = {.kind = kind,
                                  .path = path,
                                  .mode = script_new_mode(maker, kind == MADE_DIRECTORY ? 0777 : 0666),
                                  .owner = "root",
                                  .group = "root",
                                  .is_automatic = true,
                                  .yields_to_tmpfiles = true,
                                  .giver = maker->giver};
    struct wish_made *made = script_made(maker, path);
    if (made) {
        *made = new;
        return made;
    }
    struct wishes *wishes = maker->wishes;
    if (wishes->made.count >= MADE_MAX)
        return NULL;
    size_t *place = arena_new(maker->arena, size_t);
    list_add(maker->arena, &wishes->made, new);
    *place = wishes->made.count;
    map_set(&maker->made, text_of(path), place);
    return &wishes->made.items[*place - 1];
}

void script_unmake(struct script_maker *maker, const char *path)
{
    struct wish_made *made = script_made(maker, path);
    if (!made)
        return;
    made->path = NULL;
    map_set(&maker->made, text_of(path), NULL);
}

const struct entry *script_packaged(const struct script_maker *maker, const char *path, bool is_followed)
{
    const struct sourced *file =
        is_followed ? fileset_walk(maker->set, maker->arena, path, NULL, NULL) : fileset_find(maker->set, path);
    return file ? file->entry : NULL;
}

bool script_is_there(struct script_maker *maker, const char *path)
{
    return script_made(maker, path) || script_world_test(&maker->world, 'e', path) == SHELL_TRUTH_YES;
}

bool script_is_directory(struct script_maker *maker, const char *path)
{
    const struct wish_made *made = script_made(maker, path);
    if (made)
        return made->kind == MADE_DIRECTORY;
    return script_world_test(&maker->world, 'd', path) == SHELL_TRUTH_YES;
}

/* A package's directory stays as the package has it, until a script changes it. */
struct wish_made *script_make_directory(struct script_maker *maker, const char *path, uint32_t mode)
{
    const struct entry *entry = script_packaged(maker, path, false);
    struct wish_made *made = script_made(maker, path);
    if (made)
        return made->kind == MADE_DIRECTORY ? made : NULL;
    if ((entry && entry->kind != ENTRY_DIRECTORY) || (!entry && script_is_there(maker, path)))
        return NULL;
    made = script_make(maker, MADE_DIRECTORY, path);
    if (!made)
        return NULL;
    made->mode = entry ? entry->mode : mode;
    if (entry) {
        made->owner = entry->owner ? entry->owner : arena_printf(maker->arena, "%u", entry->uid);
        made->group = entry->group ? entry->group : arena_printf(maker->arena, "%u", entry->gid);
    }
    return made;
}

void script_change(const struct script_maker *maker, struct wish_made *made, const char *owner, const char *group,
                   const struct script_mode *mode)
{
    if (made->kind == MADE_SYMLINK)
        return;
    made->owner = owner ? owner : made->owner;
    made->group = group ? group : made->group;
    if (!mode)
        return;
    const struct entry *source = made->keeps_mode ? script_packaged(maker, made->source, true) : NULL;
    if (source)
        made->mode = source->mode & 0777;
    made->keeps_mode = false;
    made->mode = script_mode_apply(mode, made->mode, made->kind == MADE_DIRECTORY);
}
