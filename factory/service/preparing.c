/* SPDX-License-Identifier: Apache-2.0 */
#include "service/preparing.h"

#include "package/path.h"
#include "plan/rules.h"

/* Returns the place of a path as it is written in an image, or NULL. */
static const char *place_of(struct arena *arena, const char *path)
{
    const char *why, *canonical = path[0] == '/' ? path_canonical(arena, text_of(path), &why) : NULL;
    canonical = canonical ? path_through_run(arena, canonical) : NULL;
    return canonical && strcmp(canonical, "/") != 0 && !rule_path(canonical) ? canonical : NULL;
}

void preparing_add_directory(struct arena *arena, const struct wish_made *directory, struct wishes *wishes)
{
    struct wish_made made = *directory;
    made.kind = MADE_DIRECTORY;
    made.path = place_of(arena, directory->path);
    if (made.path && !wishes_made(wishes, made.path))
        list_add(arena, &wishes->made, made);
}
