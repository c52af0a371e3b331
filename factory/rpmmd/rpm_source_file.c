/* SPDX-License-Identifier: Apache-2.0 */
/* Source files of kind "rpm": one mapping, or `repositories:` with several. The tables below are the definition of the
 * format; names are dnf's (dnf.conf(5)). */
#include "rpmmd/rpm_source.h"

#include <errno.h>

#include "base/auto.h"
#include "source/beside.h"
#include "source/snapshot.h"
#include "trust/freshness.h"

#define PRIORITY_DEFAULT 99

struct fields {
    const char *kind, *releasever, *name, *metalink, *mirrorlist, *snapshot;
    struct strings modules, base_urls, gpg_keys, exclude_pkgs, include_pkgs;
    bool is_gpg_checked, is_repo_gpg_checked, has_module_hotfixes, is_optional, is_trusted;
    uint64_t priority, max_age_days;
    struct yaml_node *repositories;
};

#define FIELD(key, type, field) YAML_FIELD(type, fields, key, field, false, ALTERS_ORDER)
#define REPOSITORY_FIELDS                                                                                              \
    FIELD("name", YAML_STRING, name), FIELD("baseurl", YAML_STRINGS, base_urls),                                       \
        FIELD("metalink", YAML_STRING, metalink), FIELD("mirrorlist", YAML_STRING, mirrorlist),                        \
        FIELD("gpgkey", YAML_STRINGS, gpg_keys), FIELD("gpgcheck", YAML_BOOL, is_gpg_checked),                         \
        FIELD("repo_gpgcheck", YAML_BOOL, is_repo_gpg_checked), FIELD("priority", YAML_NUMBER, priority),              \
        FIELD("excludepkgs", YAML_STRINGS, exclude_pkgs), FIELD("includepkgs", YAML_STRINGS, include_pkgs),            \
        FIELD("module_hotfixes", YAML_BOOL, has_module_hotfixes),                                                      \
        FIELD("skip_if_unavailable", YAML_BOOL, is_optional), FIELD("trusted", YAML_BOOL, is_trusted),                 \
        FIELD("max-age", YAML_NUMBER, max_age_days), FIELD("snapshot", YAML_STRING, snapshot)

static const struct yaml_field repository_fields[] = {REPOSITORY_FIELDS};

/* What is read; const for the functions below but for the source. */
struct reading {
    struct arena *arena;
    struct map variables;
    struct rpm_source source;
};

static bool read_urls(struct reading *reading, const struct yaml_node *node, struct fields *fields,
                      struct rpm_repository *repository, struct err *err)
{
    struct arena *arena = reading->arena;
    for (size_t i = 0; i < fields->base_urls.count; i++) {
        const char *url;
        if (!beside_variable_uri(arena, node, fields->base_urls.items[i], &url, err))
            return false;
        list_add(arena, &repository->base_urls, url);
    }
    return (!fields->metalink || beside_variable_uri(arena, node, fields->metalink, &repository->metalink, err)) &&
           (!fields->mirrorlist || beside_variable_uri(arena, node, fields->mirrorlist, &repository->mirrorlist, err));
}

/* Paths become absolute or stay relative to the working directory, as the file itself; URLs stay. */
static void read_keys(struct reading *reading, const struct yaml_node *node, const struct fields *fields,
                      struct rpm_repository *repository)
{
    for (size_t i = 0; i < fields->gpg_keys.count; i++) {
        const char *key = fields->gpg_keys.items[i];
        list_add(reading->arena, &repository->gpg_keys,
                 strstr(key, "://") ? key : beside_path(reading->arena, node, key));
    }
}

/* Key files that do not depend on the architecture can be missed at once. */
static bool check_keys(const struct yaml_node *node, const struct rpm_repository *repository, struct err *err)
{
    for (size_t i = 0; i < repository->gpg_keys.count; i++) {
        const char *path = repository->gpg_keys.items[i];
        if (text_has_prefix(text_of(path), "file://"))
            path += strlen("file://");
        if (!strstr(path, "://") && !strchr(path, '$') && access(path, R_OK) != 0)
            return yaml_fail(node, err, "the key file %s: %s", path, strerrordesc_np(errno));
    }
    return true;
}

/* What vouches for packages: signatures of the packages, of the metadata, or the operator's word. */
static bool check_trust(const struct yaml_node *node, struct fields *fields, struct err *err)
{
    if (fields->is_trusted && !yaml_get(node, "gpgcheck"))
        fields->is_gpg_checked = false;
    bool is_checked = fields->is_gpg_checked || fields->is_repo_gpg_checked;
    if (fields->is_trusted && is_checked)
        return yaml_fail(node, err, "\"trusted: true\" is for a repository without gpgcheck and repo_gpgcheck");
    if (!fields->is_trusted && !is_checked)
        return yaml_fail(node, err,
                         "without gpgcheck and repo_gpgcheck nothing vouches for the packages; \"trusted: true\" "
                         "accepts them all the same");
    return true;
}

static bool check_priority(const struct yaml_node *node, const struct fields *fields, struct err *err)
{
    if (fields->priority >= 1 && fields->priority <= PRIORITY_DEFAULT)
        return true;
    return yaml_fail(yaml_get(node, "priority"), err, "a priority is a number from 1 (first) to %d (last, the default)",
                     PRIORITY_DEFAULT);
}

static bool add_repository(struct reading *reading, const struct yaml_node *node, struct fields *fields,
                           struct err *err)
{
    struct arena *arena = reading->arena;
    if (!check_trust(node, fields, err) || !check_priority(node, fields, err) ||
        !freshness_check_key(node, fields->max_age_days, err) || !snapshot_check(node, fields->snapshot, err))
        return false;
    struct rpm_repository repository = {
        .id = fields->name,
        .is_gpg_checked = fields->is_gpg_checked,
        .is_repo_gpg_checked = fields->is_repo_gpg_checked,
        .priority = (int)fields->priority,
        .cost = RPM_COST_DEFAULT,
        .exclude_pkgs = fields->exclude_pkgs,
        .include_pkgs = fields->include_pkgs,
        .has_module_hotfixes = fields->has_module_hotfixes,
        .is_optional = fields->is_optional,
        .max_age_days = fields->max_age_days,
        .snapshot = fields->snapshot,
        .place = arena_printf(arena, "%s:%zu", node->file->path, node->line),
    };
    if (!repository.id)
        repository.id = arena_printf(arena, "%zu", reading->source.repositories.count + 1);
    repository.name = repository.id;
    read_keys(reading, node, fields, &repository);
    if (!read_urls(reading, node, fields, &repository, err) ||
        !rpm_repository_finish(arena, &reading->variables, &repository, err) || !check_keys(node, &repository, err))
        return false;
    list_add(arena, &reading->source.repositories, repository);
    return true;
}

static bool read_repositories(struct reading *reading, const struct yaml_node *list, struct err *err)
{
    if (list->kind != YAML_SEQUENCE || !list->count)
        return yaml_fail(list, err, "\"repositories\" must be a list of repositories");
    for (size_t i = 0; i < list->count; i++) {
        struct fields fields = {.is_gpg_checked = true, .priority = PRIORITY_DEFAULT};
        if (!yaml_read(reading->arena, list->items[i], repository_fields, ARRAY_COUNT(repository_fields), &fields,
                       err) ||
            !add_repository(reading, list->items[i], &fields, err))
            return false;
    }
    return true;
}

static bool check_modules(const struct yaml_node *node, const struct strings *modules, struct err *err)
{
    for (size_t i = 0; i < modules->count; i++) {
        const char *colon = strchr(modules->items[i], ':');
        if (!colon || colon == modules->items[i] || !colon[1] || strchr(colon + 1, ':'))
            return yaml_fail(yaml_get(node, "modules"), err, "a module is NAME:STREAM, not \"%s\"", modules->items[i]);
    }
    return true;
}

static bool has_repository_key(const struct yaml_node *node)
{
    for (size_t i = 0; i < ARRAY_COUNT(repository_fields); i++) {
        if (yaml_get(node, repository_fields[i].key))
            return true;
    }
    return false;
}

static const struct yaml_field file_fields[] = {
    YAML_FIELD(YAML_STRING, fields, "kind", kind, true, ALTERS_ORDER), FIELD("releasever", YAML_STRING, releasever),
    FIELD("modules", YAML_STRINGS, modules), FIELD("repositories", YAML_NODE, repositories), REPOSITORY_FIELDS};

const struct yaml_field *rpm_source_keys(size_t *ret_count)
{
    *ret_count = ARRAY_COUNT(file_fields);
    return file_fields;
}

bool rpm_source_load_node(struct arena *arena, const struct yaml_node *node, struct rpm_source *ret_source,
                          struct err *err)
{
    struct fields fields = {.is_gpg_checked = true, .priority = PRIORITY_DEFAULT};
    struct reading reading = {.arena = arena, .variables = {.arena = arena}};
    if (!yaml_read(arena, node, file_fields, ARRAY_COUNT(file_fields), &fields, err) ||
        !check_modules(node, &fields.modules, err))
        return false;
    if (fields.repositories && has_repository_key(node))
        return yaml_fail(fields.repositories, err, "give either one repository's keys or \"repositories\", not both");
    if (fields.releasever)
        rpm_set_releasever(&reading.variables, fields.releasever);
    reading.source.modules = fields.modules;
    bool is_good = fields.repositories ? read_repositories(&reading, fields.repositories, err)
                                       : add_repository(&reading, node, &fields, err);
    if (is_good)
        *ret_source = reading.source;
    return is_good;
}
