/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/yum_repos.h"

#include <unistd.h>

#include "base/auto.h"
#include "rpmmd/ini.h"
#include "rpmmd/rpm_source.h"
#include "rpmmd/rpm_variables.h"
#include "rpmmd/yum_locks.h"
#include "rpmmd/yum_options.h"
#include "rpmmd/yum_variables.h"
#include "source/config_files.h"

static const char *const repo_endings[] = {".repo"}, *const module_endings[] = {".module"};

/* What the files say so far. */
struct reading {
    struct arena *arena;
    const char *root;
    struct map variables;
    struct yum_options main;
    struct strings ids;
    struct rpm_source source;
};

/* dnf reads [main] before the variables, which it may tell the place of. */
static bool read_section(struct reading *reading, const char *path, const struct ini_section *section,
                         struct yum_options *options, struct err *err)
{
    const struct map none = {0};
    bool is_main = options == &reading->main;
    struct yum_place place = {reading->arena, reading->root, is_main ? &none : &reading->variables, path};
    for (size_t i = 0; i < section->values.count; i++) {
        if (!yum_option_set(&place, &section->values.items[i], options, err))
            return false;
    }
    return true;
}

static bool is_id(const char *id)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:$";
    return *id && !id[strspn(id, plain)];
}

/* Whether [main] takes back the excludes and includes of a repository, or its own ("main"). */
static bool has_no_excludes(const struct reading *reading, const char *id)
{
    return strings_has(&reading->main.disabled_excludes, "all") || strings_has(&reading->main.disabled_excludes, "*") ||
           strings_has(&reading->main.disabled_excludes, id);
}

static bool add_repository(struct reading *reading, const char *path, const struct ini_section *section,
                           struct err *err)
{
    struct arena *arena = reading->arena;
    struct yum_options options = reading->main;
    struct rpm_repository *repository = &options.repository;
    repository->id = repository->name = rpm_expand(arena, &reading->variables, NULL, section->name, NULL);
    repository->place = arena_printf(arena, "%s:%zu", path, section->line);
    repository->exclude_pkgs = repository->include_pkgs = (struct strings){0};
    options.is_enabled = true;
    if (strcmp(section->name, "main") == 0)
        return true;
    if (!is_id(repository->id)) {
        err_set(err, ERR_USAGE, "%s: not the id of a repository: [%s]", repository->place, repository->id);
        return false;
    }
    if (!read_section(reading, path, section, &options, err))
        return false;
    if (!options.is_enabled || strings_has(&reading->ids, repository->id))
        return true;
    list_add(arena, &reading->ids, repository->id);
    if (has_no_excludes(reading, repository->id))
        repository->exclude_pkgs = repository->include_pkgs = (struct strings){0};
    repository->access = yum_options_access(arena, &options);
    repository->name =
        rpm_expand(arena, &reading->variables, NULL, repository->name ? repository->name : repository->id, NULL);
    if (!rpm_repository_finish(arena, &reading->variables, repository, err))
        return false;
    list_add(arena, &reading->source.repositories, *repository);
    return true;
}

/* Takes what [main] says of all repositories together. */
static void take_main(struct reading *reading)
{
    const struct yum_options *main = &reading->main;
    reading->source.is_older_fine = !main->is_best;
    if (has_no_excludes(reading, "main"))
        return;
    reading->source.exclude_pkgs = main->repository.exclude_pkgs;
    reading->source.include_pkgs = main->repository.include_pkgs;
}

static bool read_main(struct reading *reading, struct err *err)
{
    struct ini ini;
    const char *path = arena_printf(reading->arena, "%s/etc/dnf/dnf.conf", reading->root);
    yum_options_init(&reading->main);
    if (access(path, F_OK) != 0)
        return true;
    if (!ini_load(reading->arena, path, &ini, err))
        return false;
    for (size_t i = 0; i < ini.sections.count; i++) {
        const struct ini_section *section = &ini.sections.items[i];
        if (strcmp(section->name, "main") == 0 && !read_section(reading, path, section, &reading->main, err))
            return false;
    }
    take_main(reading);
    return true;
}

static bool read_locks(struct reading *reading, struct err *err)
{
    const char *plugin_dir = reading->main.has_plugins ? reading->main.plugin_dir : NULL;
    return yum_locks_load(reading->arena, reading->root, plugin_dir, &reading->source, err);
}

/* Takes each section of the files of a folder below the root. */
typedef bool take_section(struct reading *reading, const char *path, const struct ini_section *section,
                          struct err *err);
static bool read_folder(struct reading *reading, const char *folder, const char *const *endings, take_section *take,
                        struct err *err)
{
    struct strings paths;
    const char *dir = arena_printf(reading->arena, "%s%s", reading->root, folder);
    if (!config_list_files(reading->arena, dir, endings, 1, &paths, err))
        return false;
    for (size_t i = 0; i < paths.count; i++) {
        struct ini ini;
        if (!ini_load(reading->arena, paths.items[i], &ini, err))
            return false;
        for (size_t k = 0; k < ini.sections.count; k++) {
            if (!take(reading, paths.items[i], &ini.sections.items[k], err))
                return false;
        }
    }
    return true;
}

static const char *find_value(const struct ini_section *section, const char *key)
{
    const char *value = "";
    for (size_t i = 0; i < section->values.count; i++) {
        if (strcmp(section->values.items[i].key, key) == 0)
            value = section->values.items[i].value;
    }
    return value;
}

/* What "dnf module enable" and "disable" have written: a section of each module, with its stream and state. */
static bool add_module(struct reading *reading, const char *path, const struct ini_section *section, struct err *err)
{
    const char *stream = find_value(section, "stream"), *state = find_value(section, "state");
    (void)path;
    (void)err;
    if (strcmp(state, "enabled") == 0 && *stream)
        list_add(reading->arena, &reading->source.modules,
                 arena_printf(reading->arena, "%s:%s", section->name, stream));
    else if (strcmp(state, "disabled") == 0)
        list_add(reading->arena, &reading->source.disabled_modules, section->name);
    return true;
}

static bool has_same_keys(const struct rpm_repository *a, const struct rpm_repository *b)
{
    if (a->gpg_keys.count != b->gpg_keys.count)
        return false;
    for (size_t i = 0; i < a->gpg_keys.count; i++) {
        if (strcmp(a->gpg_keys.items[i], b->gpg_keys.items[i]) != 0)
            return false;
    }
    return true;
}

/* Third parties bring keys of their own: marks the repositories that do not share the most common ones (the first of
 * them, when several are as common), as apt_sources.c does. */
static void mark_optional(struct rpm_source *source)
{
    struct rpm_repository *items = source->repositories.items;
    size_t count = source->repositories.count, own = 0, own_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        for (size_t k = 0; k < count; k++)
            same += has_same_keys(&items[k], &items[i]);
        if (same > own_count) {
            own = i;
            own_count = same;
        }
    }
    for (size_t i = 0; i < count; i++)
        items[i].is_optional |= !has_same_keys(&items[i], &items[own]);
}

bool yum_repos_exist(const char *root, bool *ret_exist, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *dir = arena_printf(&scratch, "%s/etc/yum.repos.d", root);
    return config_has_files(dir, repo_endings, ARRAY_COUNT(repo_endings), ret_exist, err);
}

bool yum_repos_load(struct arena *arena, const char *root, struct rpm_source *ret_source, struct err *err)
{
    struct reading reading = {.arena = arena, .root = root, .variables = {.arena = arena}};
    if (!yum_variables_load(root, &reading.variables, err) || !read_main(&reading, err) ||
        !read_folder(&reading, "/etc/yum.repos.d", repo_endings, add_repository, err) ||
        !read_folder(&reading, "/etc/dnf/modules.d", module_endings, add_module, err) || !read_locks(&reading, err))
        return false;
    if (!reading.source.repositories.count) {
        err_set(err, ERR_USAGE, "%s/etc/yum.repos.d has no enabled repository; name a source with --source", root);
        return false;
    }
    mark_optional(&reading.source);
    *ret_source = reading.source;
    return true;
}
