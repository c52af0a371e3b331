/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past_hiding.h"

#include "package/path.h"

#define WHITEOUT ".wh."
#define OPAQUE "/.wh..wh..opq"

static bool has(const struct map *above, const char *path)
{
    return map_get(above, text_of(path)) != NULL;
}

bool past_is_hidden(struct arena *arena, const struct map *above, const char *path)
{
    if (!above->slots.count)
        return false;
    if (has(above, path))
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
