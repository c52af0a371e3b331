/* SPDX-License-Identifier: Apache-2.0 */
#include "ground/ground_path.h"

#include "package/path.h"

#define LINKS_MAX 40
#define REST_MAX_BYTES ((size_t)2 * PATH_MAX_BYTES)

/* A walk under way: where it is, without a '/' at the end, so that "" is the root. */
struct walker {
    struct ground_walk *walk;
    struct arena arena; /* what links lead to */
    char reached[PATH_MAX_BYTES + 1];
    size_t len;
    struct text rest;
    unsigned links;
    const char *why;
};

static void go_up(struct walker *walker)
{
    while (walker->len && walker->reached[--walker->len] != '/')
        ;
}

static bool stop(struct walker *walker, const char *why)
{
    walker->why = why;
    return false;
}

static bool go_down(struct walker *walker, struct text component)
{
    if (component.len > PATH_MAX_COMPONENT || walker->len + 1 + component.len > PATH_MAX_BYTES)
        return stop(walker, "its path is too long");
    walker->reached[walker->len++] = '/';
    memcpy(walker->reached + walker->len, component.ptr, component.len);
    walker->len += component.len;
    return true;
}

static bool follow(struct walker *walker, const char *target)
{
    if (++walker->links > LINKS_MAX)
        return stop(walker, "its path goes through more than 40 links");
    if (strlen(target) + walker->rest.len > REST_MAX_BYTES)
        return stop(walker, "its path is too long");
    go_up(walker);
    if (*target == '/')
        walker->len = 0;
    walker->rest = text_of(arena_printf(&walker->arena, "%s/%.*s", target, (int)walker->rest.len,
                                        walker->rest.ptr ? walker->rest.ptr : ""));
    walker->walk->linked_bytes += walker->rest.len;
    return true;
}

/* Returns whether nothing but '/' and "." is left to walk. */
static bool is_last(struct text rest)
{
    struct text component;
    while (text_next(&rest, '/', &component)) {
        if (component.len && !text_is(component, "."))
            return false;
    }
    return true;
}

static bool take_step(struct walker *walker, struct text component)
{
    if (!component.len || text_is(component, "."))
        return true;
    if (text_is(component, "..")) {
        go_up(walker);
        return true;
    }
    if (!go_down(walker, component))
        return false;
    bool is_end = is_last(walker->rest);
    if (is_end && !walker->walk->follows_last)
        return true;
    const struct entry *entry =
        walker->walk->look(walker->walk->self, (struct text){walker->reached, walker->len}, &walker->why);
    if (walker->why)
        return false;
    if (!entry || entry->kind == ENTRY_DIRECTORY)
        return true;
    if (entry->kind == ENTRY_SYMLINK)
        return follow(walker, entry->target);
    return is_end || stop(walker, "below an entry that is not a directory");
}

const char *ground_path(struct ground_walk *walk, struct arena *arena, const char *path, const char **ret_why)
{
    struct walker walker = {.walk = walk, .rest = text_of(path)};
    struct text component;
    bool is_good = true;
    while (is_good && text_next(&walker.rest, '/', &component))
        is_good = take_step(&walker, component);
    arena_done(&walker.arena);
    *ret_why = walker.why;
    if (!is_good)
        return NULL;
    return walker.len ? arena_strndup(arena, walker.reached, walker.len) : "/";
}
