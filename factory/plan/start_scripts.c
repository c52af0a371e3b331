/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/start_scripts.h"

#define SHELL "/bin/sh"

void start_make(struct arena *arena, struct manifest *manifest, struct wish_made made, const char *giver)
{
    made.owner = made.group = "root";
    made.giver = giver;
    if (!wishes_made(&manifest->wishes, made.path))
        list_add(arena, &manifest->wishes.made, made);
}

void start_want_program(struct arena *arena, struct manifest *manifest, const char *path)
{
    if (!strings_has(&manifest->binaries, path) && !wishes_made(&manifest->wishes, path))
        list_add(arena, &manifest->binaries, path);
}

void start_want_file(struct arena *arena, struct manifest *manifest, const char *path, const char *giver)
{
    bool is_there = strings_has(&manifest->binaries, path);
    for (size_t i = 0; i < manifest->wishes.files.count && !is_there; i++)
        is_there = strcmp(manifest->wishes.files.items[i].path, path) == 0;
    if (!is_there)
        list_add(arena, &manifest->wishes.files, ((struct wish_file){.path = path, .giver = giver}));
}

const char *start_add_script(struct arena *arena, struct manifest *manifest, const char *name, const char *const *tools,
                             size_t tool_count)
{
    const char *path = arena_printf(arena, START_DIR "/%s", name);
    struct wish_made made = {.kind = MADE_FILE, .path = path, .mode = 0755};
    for (size_t i = 0; i < start_scripts_count; i++) {
        if (strcmp(start_scripts[i].name, name) != 0)
            continue;
        made.content = (const char *)start_scripts[i].bytes;
        made.content_bytes = start_scripts[i].len;
    }
    start_make(arena, manifest, made, path);
    if (!manifest->shell)
        start_want_file(arena, manifest, SHELL, path);
    for (size_t i = 0; !manifest->shell && i < tool_count; i++)
        start_want_file(arena, manifest, tools[i], path);
    return path;
}
