/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/places.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* The home of accounts that have none (Debian Policy 9.2.3): it must not come into being. */
#define NO_HOME "/nonexistent"

static bool is_dir(const char *path)
{
    return access(path, R_OK | X_OK) == 0;
}

/* The directory of the running program, or "" when /proc is missing. */
static const char *program_dir(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    while (len > 0 && path[len - 1] != '/')
        len--;
    return len > 1 ? arena_strndup(arena, path, (size_t)len - 1) : "";
}

bool places_data_dir(struct arena *arena, const char *name, const char **ret_path, struct err *err)
{
    const char *dir = program_dir(arena);
    struct strings tried = {0};
    if (*IMGFACTORY_BUILD_DIR && text_has_prefix(text_of(dir), IMGFACTORY_BUILD_DIR)) /* "" in a package */
        list_add(arena, &tried, arena_printf(arena, "%s/%s", IMGFACTORY_SOURCE_DIR, name));
    list_add(arena, &tried, arena_printf(arena, "%s/../share/imgfactory/%s", dir, name));
    list_add(arena, &tried, arena_printf(arena, "%s/%s", IMGFACTORY_DATADIR, name));
    for (size_t i = 0; i < tried.count; i++) {
        if (is_dir(tried.items[i])) {
            *ret_path = tried.items[i];
            return true;
        }
    }
    err_set(err, ERR_USAGE, "the folder %s of imgfactory is in none of: %s; name it with --%s", name,
            strings_join(arena, &tried, ", "), name);
    return false;
}

bool places_user_dir(struct arena *arena, const char *variable, const char *below_home, const char *for_system,
                     const char **ret_path, struct err *err)
{
    const char *value = getenv(variable), *home = getenv("HOME");
    bool is_none = home && strcmp(home, NO_HOME) == 0;
    if (is_none)
        home = NULL;
    if (value && value[0] == '/') {
        *ret_path = arena_printf(arena, "%s/imgfactory", value);
    } else if (home && home[0] == '/') {
        *ret_path = arena_printf(arena, "%s/%s/imgfactory", home, below_home);
    } else if (geteuid() == 0) {
        *ret_path = arena_printf(arena, "%s/imgfactory", for_system);
    } else {
        err_set(err, ERR_USAGE,
                is_none ? "%s is not set, and HOME is " NO_HOME
                          ", the home of accounts that have none; name the directories with --cache and --state"
                        : "neither %s nor HOME is set; name the directories with --cache and --state",
                variable);
        return false;
    }
    return true;
}
