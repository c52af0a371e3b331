/* SPDX-License-Identifier: Apache-2.0 */
#include "package/path.h"

/* The names in / that are links into /usr on a system with merged /usr (Debian since 12, Fedora since 17). */
static const char *const merged_names[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"};

/* A path while it is put together: components with a '/' before each; "" is the root. */
struct spelling {
    char bytes[PATH_MAX_BYTES + 1];
    size_t len, depth;
    bool is_exact; /* /lib and /usr/lib are two places */
};

static bool is_merged_name(struct text name)
{
    for (size_t i = 0; i < ARRAY_COUNT(merged_names); i++) {
        if (text_is(name, merged_names[i]))
            return true;
    }
    return false;
}

/* Adds one component; returns why it cannot, or NULL. */
static const char *spelling_push(struct spelling *spelling, struct text name)
{
    if (spelling->depth == 0 && !spelling->is_exact && is_merged_name(name)) {
        memcpy(spelling->bytes, "/usr", 4);
        spelling->len = 4;
        spelling->depth = 1;
    }
    if (name.len > PATH_MAX_COMPONENT)
        return "a component is longer than 255 bytes";
    if (name.len + 1 > PATH_MAX_BYTES - spelling->len)
        return "it is longer than 4095 bytes";
    if (spelling->depth == PATH_MAX_DEPTH)
        return "it has more than 256 components";
    spelling->bytes[spelling->len] = '/';
    memcpy(spelling->bytes + spelling->len + 1, name.ptr, name.len);
    spelling->len += name.len + 1;
    spelling->depth++;
    return NULL;
}

/* Takes the last component off; at the root nothing happens, as in a chroot. */
static void spelling_pop(struct spelling *spelling)
{
    if (spelling->depth == 0)
        return;
    do {
        spelling->len--;
    } while (spelling->bytes[spelling->len] != '/');
    spelling->depth--;
}

static const char *spelling_take(struct arena *arena, const struct spelling *spelling)
{
    return spelling->len ? arena_strndup(arena, spelling->bytes, spelling->len) : "/";
}

static const char *spelling_add_all(struct spelling *spelling, struct text path, bool may_climb)
{
    struct text name;
    const char *why = NULL;
    while (!why && text_next(&path, '/', &name)) {
        if (name.len == 0 || text_is(name, "."))
            continue;
        if (!text_is(name, ".."))
            why = spelling_push(spelling, name);
        else if (may_climb)
            spelling_pop(spelling);
        else
            why = "it has a \"..\" component";
    }
    return why;
}

static const char *spell(struct arena *arena, struct text path, bool is_exact, const char **ret_why)
{
    struct spelling spelling = {.is_exact = is_exact};
    if (path.len == 0)
        *ret_why = "it is empty";
    else if (memchr(path.ptr, '\0', path.len))
        *ret_why = "it has a NUL byte";
    else
        *ret_why = spelling_add_all(&spelling, path, false);
    return *ret_why ? NULL : spelling_take(arena, &spelling);
}

const char *path_canonical(struct arena *arena, struct text path, const char **ret_why)
{
    return spell(arena, path, false, ret_why);
}

const char *path_exact(struct arena *arena, struct text path, const char **ret_why)
{
    return spell(arena, path, true, ret_why);
}

const char *path_join_target(struct arena *arena, const char *path, const char *target)
{
    struct spelling spelling = {.len = 0};
    if (!*target)
        return NULL;
    if (*target != '/') {
        struct text directory = {path, (size_t)(path_basename(path) - path)};
        if (spelling_add_all(&spelling, directory, true))
            return NULL;
    }
    if (spelling_add_all(&spelling, text_of(target), true))
        return NULL;
    return spelling_take(arena, &spelling);
}

const char *path_through_run(struct arena *arena, const char *path)
{
    static const char var[] = "/var", *const links[] = {"/var/run/", "/var/lock/"};
    if (strncmp(path, links[0], strlen(links[0])) == 0)
        return path + strlen(var);
    if (strncmp(path, links[1], strlen(links[1])) == 0)
        return arena_printf(arena, "/run%s", path + strlen(var));
    return path;
}

const char *path_dirname(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return "/";
    return arena_strndup(arena, path, (size_t)(slash - path));
}

const char *path_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_is_glob(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

bool path_is_below(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    return strncmp(path, directory, len) == 0 && path[len] == '/';
}

bool path_is_within(const char *path, const char *directory)
{
    return path_is_below(path, directory) || strcmp(path, directory) == 0;
}

bool path_is_within_any(const char *path, const struct strings *directories)
{
    for (size_t i = 0; i < directories->count; i++) {
        if (path_is_within(path, directories->items[i]))
            return true;
    }
    return false;
}
