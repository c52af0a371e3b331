/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_hiding.h"

#include "package/path.h"

#define WHITEOUT ".wh."
#define OPAQUE "/.wh..wh..opq"

static const char replaced[] = "replaced", directory[] = "directory"; /* what maps have of a path */

void past_hide(struct map *above, const char *path, enum node_kind kind)
{
    bool is_directory = kind == NODE_DIRECTORY;
    if (!is_directory || !map_get(above, text_of(path)))
        map_set(above, text_of(path), (void *)(is_directory ? directory : replaced));
}

/* Whether something is there that is no directory. */
static bool has(const struct map *above, const char *path)
{
    return map_get(above, text_of(path)) == replaced;
}

bool past_is_hidden(struct arena *arena, const struct map *above, const char *path, enum node_kind kind)
{
    if (!above->slots.count)
        return false;
    if (kind == NODE_DIRECTORY ? has(above, path) : map_get(above, text_of(path)) != NULL)
        return true;
    for (const char *at = path; at[1]; at = path_dirname(arena, at)) {
        const char *dir = path_dirname(arena, at), *end = dir[1] ? dir : "";
        if (has(above, arena_printf(arena, "%s/" WHITEOUT "%s", end, path_basename(at))) ||
            has(above, arena_printf(arena, "%s" OPAQUE, end)) || (dir[1] && has(above, dir)))
            return true;
    }
    return false;
}

bool past_is_whiteout(const char *path)
{
    return text_has_prefix(text_of(path_basename(path)), WHITEOUT);
}
