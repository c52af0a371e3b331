/* SPDX-License-Identifier: Apache-2.0 */
#include "rpmmd/yum_locks.h"

#include <errno.h>
#include <fcntl.h>

#include "base/auto.h"
#include "io/file.h"
#include "plan/toml.h"
#include "rpmmd/ini.h"

#define LIST_MAX_BYTES ((size_t)1 << 20)
#define LOCKS_MAX 1000
#define CONDITIONS_MAX 32
#define TOML_VERSION "1.0"

static bool is_true(const char *word)
{
    static const char *const yes[] = {"1", "yes", "true", "on"};
    bool is_yes = false;
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++)
        is_yes = is_yes || text_is_nocase(text_of(word), yes[i]);
    return is_yes;
}

/* Reads a file that need not be there. */
static bool read_file(const char *path, struct buf *ret_bytes, bool *ret_found, struct err *err)
{
    struct err absent = {0};
    *ret_found = file_read_at(AT_FDCWD, path, LIST_MAX_BYTES, ret_bytes, &absent);
    if (*ret_found || absent.detail == ENOENT || absent.detail == ENOTDIR)
        return true;
    *err = absent;
    return false;
}

/* Reads versionlock.conf: where the list is, and whether the plugin is on. */
static bool read_conf(struct arena *arena, const char *path, const char **list, bool *ret_enabled, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct ini ini;
    bool is_found;
    *ret_enabled = true;
    if (!read_file(path, &bytes, &is_found, err))
        return false;
    if (!is_found)
        return true;
    if (!ini_load(arena, path, &ini, err))
        return false;
    for (size_t i = 0; i < ini.sections.count; i++) {
        const struct ini_section *section = &ini.sections.items[i];
        for (size_t k = 0; k < section->values.count && strcmp(section->name, "main") == 0; k++) {
            const struct ini_value *value = &section->values.items[k];
            if (strcmp(value->key, "locklist") == 0 && *value->value)
                *list = value->value;
            if (strcmp(value->key, "enabled") == 0)
                *ret_enabled = is_true(value->value);
        }
    }
    return true;
}

static bool add(struct arena *arena, const char *path, size_t line, const struct rpm_lock *lock,
                struct rpm_source *source, struct err *err)
{
    if (source->locks.count < LOCKS_MAX) {
        list_add(arena, &source->locks, *lock);
        return true;
    }
    err_set(err, ERR_USAGE, "%s:%zu: more than %d locks", path, line, LOCKS_MAX);
    return false;
}

static bool read_list(struct arena *arena, const char *path, struct rpm_source *source, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct text line, rest;
    bool is_found;
    if (!read_file(path, &bytes, &is_found, err))
        return false;
    rest = (struct text){bytes.len ? bytes.bytes : "", bytes.len};
    for (size_t number = 1; text_next(&rest, '\n', &line); number++) {
        struct text pattern = text_trim(line);
        if (!pattern.len || line.ptr[0] == '#')
            continue;
        struct rpm_lock lock = {.is_excluding = pattern.ptr[0] == '!'};
        if (lock.is_excluding)
            pattern = (struct text){pattern.ptr + 1, pattern.len - 1};
        lock.pattern = text_dup(arena, pattern);
        if (!add(arena, path, number, &lock, source, err))
            return false;
    }
    return true;
}

static const char *string_of(const struct toml_node *table, const char *key)
{
    const struct toml_node *node = toml_get(table, key);
    return node && node->kind == TOML_STRING ? node->string : "";
}

static bool fail(const char *path, const struct toml_node *node, const char *why, const char *what, struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu: %s: \"%s\"", path, node->line, why, what);
    return false;
}

static bool read_condition(struct arena *arena, const char *path, const struct toml_node *node, struct rpm_lock *lock,
                           struct err *err)
{
    static const char *const keys[] = {[RPM_LOCK_EPOCH] = "epoch", [RPM_LOCK_EVR] = "evr", [RPM_LOCK_ARCH] = "arch"};
    static const struct {
        const char *word;
        bool less, equal, greater;
    } comparators[] = {{"=", false, true, false}, {"==", false, true, false}, {"<", true, false, false},
                       {"<=", true, true, false}, {">", false, false, true},  {">=", false, true, true},
                       {"<>", true, false, true}, {"!=", true, false, true}};
    const char *key = string_of(node, "key"), *comparator = string_of(node, "comparator");
    struct rpm_lock_condition condition = {.value = string_of(node, "value")};
    size_t at = 0, kind = 0;
    uint64_t epoch;
    while (kind < ARRAY_COUNT(keys) && strcmp(keys[kind], key) != 0)
        kind++;
    while (at < ARRAY_COUNT(comparators) && strcmp(comparators[at].word, comparator) != 0)
        at++;
    if (kind == ARRAY_COUNT(keys))
        return fail(path, node, "the key of a condition is epoch, evr or arch, not", key, err);
    bool is_equality = at < ARRAY_COUNT(comparators) && comparators[at].less == comparators[at].greater;
    if (at == ARRAY_COUNT(comparators) || (kind == RPM_LOCK_ARCH && !is_equality))
        return fail(path, node, "not a comparator that such a condition can have", comparator, err);
    if (!*condition.value || (kind == RPM_LOCK_EPOCH && !text_parse_u64(text_of(condition.value), &epoch)))
        return fail(path, node, "not a value that such a condition can have", condition.value, err);
    condition.key = (enum rpm_lock_key)kind;
    condition.is_less_fine = comparators[at].less;
    condition.is_equal_fine = comparators[at].equal;
    condition.is_greater_fine = comparators[at].greater;
    if (lock->conditions.count == CONDITIONS_MAX)
        return fail(path, node, "more conditions than are read for", lock->pattern, err);
    list_add(arena, &lock->conditions, condition);
    return true;
}

/* Reads one of the [[packages]]; without a name or a condition it locks nothing. */
static bool read_package(struct arena *arena, const char *path, const struct toml_node *node, struct rpm_source *source,
                         struct err *err)
{
    const struct toml_node *conditions = toml_get(node, "conditions");
    struct rpm_lock lock = {.pattern = string_of(node, "name"), .is_of_dnf5 = true};
    if (!*lock.pattern || !conditions || conditions->kind != TOML_ARRAY)
        return true;
    for (const struct toml_node *item = conditions->first; item; item = item->next) {
        if (item->kind != TOML_TABLE)
            return fail(path, item, "a condition is a table, for", lock.pattern, err);
        if (!read_condition(arena, path, item, &lock, err))
            return false;
    }
    return !lock.conditions.count || add(arena, path, node->line, &lock, source, err);
}

static bool read_toml(struct arena *arena, const char *path, struct rpm_source *source, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct toml_node *root;
    bool is_found;
    if (!read_file(path, &bytes, &is_found, err))
        return false;
    if (!is_found)
        return true;
    if (!toml_parse(arena, path, (struct text){bytes.len ? bytes.bytes : "", bytes.len}, &root, err))
        return false;
    const struct toml_node *packages = toml_get(root, "packages");
    if (strcmp(string_of(root, "version"), TOML_VERSION) != 0 || !packages)
        return true;
    if (packages->kind != TOML_ARRAY)
        return fail(path, packages, "not a list of tables", "packages", err);
    for (const struct toml_node *item = packages->first; item; item = item->next) {
        if (item->kind != TOML_TABLE)
            return fail(path, item, "not a table, in", "packages", err);
        if (!read_package(arena, path, item, source, err))
            return false;
    }
    return true;
}

bool yum_locks_load(struct arena *arena, const char *root, const char *plugin_dir, struct rpm_source *source,
                    struct err *err)
{
    bool is_enabled = false;
    const char *list = "/etc/dnf/plugins/versionlock.list";
    if (plugin_dir) {
        const char *conf = arena_printf(arena, "%s%s/versionlock.conf", root, plugin_dir);
        list = arena_printf(arena, "%s/versionlock.list", plugin_dir);
        if (!read_conf(arena, conf, &list, &is_enabled, err))
            return false;
    }
    if (is_enabled && !read_list(arena, arena_printf(arena, "%s%s", root, list), source, err))
        return false;
    return read_toml(arena, arena_printf(arena, "%s/etc/dnf/versionlock.toml", root), source, err);
}
