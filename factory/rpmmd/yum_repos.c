#include "rpmmd/yum_repos.h"

#include <unistd.h>

#include "base/auto.h"
#include "rpmmd/ini.h"
#include "rpmmd/rpm_source.h"
#include "rpmmd/rpm_variables.h"
#include "rpmmd/yum_variables.h"
#include "source/config_files.h"

#define PRIORITY_DEFAULT 99
#define COST_DEFAULT 1000
#define NUMBER_MAX 1000000u

static const char *const repo_endings[] = {".repo"}, *const module_endings[] = {".module"};

/* What the files say so far; `is_enabled` is that of the section being read. */
struct reading {
    struct arena *arena;
    const char *root;
    struct map variables;
    struct rpm_repository defaults; /* of [main] */
    struct strings ids;
    struct rpm_source source;
    bool is_enabled;
};

static bool fail(const char *path, const struct ini_value *value, const char *why, struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu: %s: %s: \"%s\"", path, value->line, value->key, why, value->value);
    return false;
}

/* dnf's words for yes and no. */
static bool read_bool(const char *path, const struct ini_value *value, bool *ret_bool, struct err *err)
{
    static const char *const yes[] = {"1", "yes", "true", "on"};
    static const char *const no[] = {"0", "no", "false", "off"};
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        bool is_yes = text_is_nocase(text_of(value->value), yes[i]);
        if (is_yes || text_is_nocase(text_of(value->value), no[i])) {
            *ret_bool = is_yes;
            return true;
        }
    }
    return fail(path, value, "neither 1 nor 0 (nor yes, no, true, false, on, off)", err);
}

static bool read_number(const char *path, const struct ini_value *value, int *ret_number, struct err *err)
{
    uint64_t number;
    if (!text_parse_u64(text_of(value->value), &number) || number > NUMBER_MAX)
        return fail(path, value, "not a number that it can be", err);
    *ret_number = (int)number;
    return true;
}

/* Adds the words; those of [main] stay. An empty value empties the list, as in dnf. */
static void add_words(struct arena *arena, const char *words, struct strings *list)
{
    struct strings more = {0};
    config_words(arena, text_of(words), true, &more);
    if (!more.count)
        *list = more;
    for (size_t i = 0; i < more.count; i++)
        list_add(arena, list, more.items[i]);
}

/* A key of the host is looked for below the root that plays the host. */
static void add_keys(const struct reading *reading, const char *words, struct strings *list)
{
    static const char scheme[] = "file://";
    struct strings keys = {0};
    config_words(reading->arena, text_of(words), true, &keys);
    *list = (struct strings){0};
    for (size_t i = 0; i < keys.count; i++) {
        const char *key = keys.items[i];
        bool is_file = text_has_prefix(text_of(key), scheme);
        list_add(reading->arena, list,
                 is_file ? arena_printf(reading->arena, "%s%s", reading->root, key + sizeof scheme - 1) : key);
    }
}

/* Sets one option of a repository or of [main]; what does not matter here is passed over. */
static bool set_option(struct reading *reading, const char *path, const struct ini_value *value,
                       struct rpm_repository *repository, struct err *err)
{
    const struct {
        const char *key;
        bool *field;
    } bools[] = {{"enabled", &reading->is_enabled},
                 {"gpgcheck", &repository->is_gpg_checked},
                 {"repo_gpgcheck", &repository->is_repo_gpg_checked},
                 {"module_hotfixes", &repository->has_module_hotfixes},
                 {"skip_if_unavailable", &repository->is_optional}};
    const struct {
        const char *key;
        struct strings *field;
    } lists[] = {{"excludepkgs", &repository->exclude_pkgs},
                 {"exclude", &repository->exclude_pkgs},
                 {"includepkgs", &repository->include_pkgs}};
    const struct {
        const char *key, **field;
    } texts[] = {
        {"name", &repository->name}, {"metalink", &repository->metalink}, {"mirrorlist", &repository->mirrorlist}};
    for (size_t i = 0; i < ARRAY_COUNT(bools); i++) {
        if (strcmp(value->key, bools[i].key) == 0)
            return read_bool(path, value, bools[i].field, err);
    }
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (strcmp(value->key, lists[i].key) == 0)
            add_words(reading->arena, value->value, lists[i].field);
    }
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (strcmp(value->key, texts[i].key) == 0)
            *texts[i].field = *value->value ? value->value : NULL;
    }
    if (strcmp(value->key, "baseurl") == 0)
        config_words(reading->arena, text_of(value->value), true, &repository->base_urls);
    if (strcmp(value->key, "gpgkey") == 0)
        add_keys(reading, value->value, &repository->gpg_keys);
    if (strcmp(value->key, "cost") == 0)
        return read_number(path, value, &repository->cost, err);
    return strcmp(value->key, "priority") != 0 || read_number(path, value, &repository->priority, err);
}

static bool read_section(struct reading *reading, const char *path, const struct ini_section *section,
                         struct rpm_repository *repository, struct err *err)
{
    reading->is_enabled = true;
    for (size_t i = 0; i < section->values.count; i++) {
        if (!set_option(reading, path, &section->values.items[i], repository, err))
            return false;
    }
    return true;
}

static bool is_id(const char *id)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:$";
    return *id && !id[strspn(id, plain)];
}

/* A list that grows must not share its room with that of the defaults. */
static struct strings copy_strings(struct arena *arena, const struct strings *from)
{
    struct strings copy = {0};
    for (size_t i = 0; i < from->count; i++)
        list_add(arena, &copy, from->items[i]);
    return copy;
}

static bool add_repository(struct reading *reading, const char *path, const struct ini_section *section,
                           struct err *err)
{
    struct arena *arena = reading->arena;
    struct rpm_repository repository = reading->defaults;
    repository.id = repository.name = rpm_expand(arena, &reading->variables, NULL, section->name, NULL);
    repository.place = arena_printf(arena, "%s:%zu", path, section->line);
    repository.exclude_pkgs = copy_strings(arena, &reading->defaults.exclude_pkgs);
    repository.include_pkgs = copy_strings(arena, &reading->defaults.include_pkgs);
    if (strcmp(section->name, "main") == 0)
        return true;
    if (!is_id(repository.id)) {
        err_set(err, ERR_USAGE, "%s: not the id of a repository: [%s]", repository.place, repository.id);
        return false;
    }
    if (!read_section(reading, path, section, &repository, err))
        return false;
    if (!reading->is_enabled || strings_has(&reading->ids, repository.id))
        return true;
    list_add(arena, &reading->ids, repository.id);
    repository.name =
        rpm_expand(arena, &reading->variables, NULL, repository.name ? repository.name : repository.id, NULL);
    if (!rpm_repository_finish(arena, &reading->variables, &repository, err))
        return false;
    list_add(arena, &reading->source.repositories, repository);
    return true;
}

static bool read_main(struct reading *reading, struct err *err)
{
    struct ini ini;
    const char *path = arena_printf(reading->arena, "%s/etc/dnf/dnf.conf", reading->root);
    reading->defaults =
        (struct rpm_repository){.is_gpg_checked = true, .priority = PRIORITY_DEFAULT, .cost = COST_DEFAULT};
    if (access(path, F_OK) != 0)
        return true;
    if (!ini_load(reading->arena, path, &ini, err))
        return false;
    for (size_t i = 0; i < ini.sections.count; i++) {
        const struct ini_section *section = &ini.sections.items[i];
        if (strcmp(section->name, "main") == 0 && !read_section(reading, path, section, &reading->defaults, err))
            return false;
    }
    return true;
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
        !read_folder(&reading, "/etc/dnf/modules.d", module_endings, add_module, err))
        return false;
    if (!reading.source.repositories.count) {
        err_set(err, ERR_USAGE, "%s/etc/yum.repos.d has no enabled repository; name a source with --source", root);
        return false;
    }
    mark_optional(&reading.source);
    *ret_source = reading.source;
    return true;
}
