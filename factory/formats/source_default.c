/* Which source is meant, when it is not given as a file: source_load_default() and source_find() of source.h. */
#include "source/source.h"

#include <unistd.h>

#include "base/auto.h"
#include "rpmmd/yum_repos.h"
#include "source/entry.h"

/* Tells whether apt has any configuration of repositories. */
static bool has_apt(const char *apt_dir, bool *ret_has, struct err *err)
{
    static const char *const endings[] = {".list", ".sources"};
    AUTO(arena_done) struct arena scratch = {0};
    struct strings paths = {0};
    const char *parts = arena_printf(&scratch, "%s/sources.list.d", apt_dir);
    *ret_has = access(arena_printf(&scratch, "%s/sources.list", apt_dir), F_OK) == 0;
    if (*ret_has)
        return true;
    struct err unlisted = {0};
    *ret_has = entry_list_files(&scratch, parts, endings, ARRAY_COUNT(endings), &paths, &unlisted) && paths.count > 0;
    if (err_is_shortage(&unlisted))
        *err = unlisted;
    return !err_is_shortage(&unlisted);
}

bool source_load_default(struct arena *arena, const char *apt_dir, const char *root, struct source *ret_source,
                         struct err *err)
{
    bool is_there;
    if (!has_apt(apt_dir, &is_there, err))
        return false;
    if (is_there)
        return source_load_host(arena, apt_dir, ret_source, err);
    if (!yum_repos_exist(root, &is_there, err))
        return false;
    if (is_there)
        return yum_repos_load(arena, root, ret_source, err);
    err_set(err, ERR_USAGE,
            "this host has neither apt's configuration (%s/sources.list, sources.list.d/*.list, *.sources) nor dnf's "
            "(%s/etc/yum.repos.d/*.repo); name a source with --source",
            apt_dir, root);
    return false;
}

bool source_find(struct arena *arena, const char *dir, const char *name, const char **ret_path, struct err *err)
{
    struct strings names;
    if (yaml_is_path(name)) {
        *ret_path = arena_strdup(arena, name);
        return true;
    }
    if (!yaml_stems(arena, dir, &names, err))
        return false;
    if (strings_has(&names, name)) {
        *ret_path = arena_printf(arena, "%s/%s.yaml", dir, name);
        return true;
    }
    const char *shown = text_printable(arena, text_of(name));
    const char *nearest = text_nearest(name, names.items, names.count);
    err_set(err, ERR_USAGE, "unknown source '%s'%s%s%s; known in %s: %s (a file of your own is ./%s.yaml)", shown,
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "", dir,
            names.count ? strings_join(arena, &names, ", ") : "none", shown);
    return false;
}
