/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registries_conf.h"
#include "base/auto.h"
#include "io/file.h"
#include "plan/toml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define FILE_BYTES_MAX (1u << 20)
#define FILES_MAX 1000

enum mirror_use { USE_ALL, USE_FOR_DIGESTS, USE_FOR_TAGS };

struct mirror {
    const char *location;
    bool is_insecure;
    enum mirror_use use;
};

struct registry_rule {
    const char *file; /* and the line of its table: for messages */
    size_t line;
    const char *prefix, *location; /* location NULL: nothing is rewritten */
    bool is_insecure, is_blocked, is_digest_only;
    LIST(struct mirror) mirrors;
};

struct conf {
    struct arena *arena;
    const char *file; /* the one being read */
    LIST(struct registry_rule) rules;
};

static bool fail(const struct conf *conf, const struct toml_node *node, const char *key, const char *what,
                 struct err *err)
{
    err_set(err, ERR_USAGE, "%s:%zu: '%s' %s", conf->file, node->line, key, what);
    return false;
}

static bool read_bool(const struct conf *conf, const struct toml_node *table, const char *key, bool *ret_value,
                      struct err *err)
{
    const struct toml_node *node = toml_get(table, key);
    *ret_value = node && node->is_true;
    return !node || node->kind == TOML_BOOL || fail(conf, node, key, "must be true or false", err);
}

static bool read_string(const struct conf *conf, const struct toml_node *table, const char *key, const char **ret_value,
                        struct err *err)
{
    const struct toml_node *node = toml_get(table, key);
    *ret_value = node && node->kind == TOML_STRING ? node->string : NULL;
    return !node || node->kind == TOML_STRING || fail(conf, node, key, "must be a string", err);
}

/* Reads host[:port][/path], without slashes at the end; "" counts as absent. */
static bool read_location(const struct conf *conf, const struct toml_node *table, const char *key,
                          const char **ret_value, struct err *err)
{
    const char *value;
    *ret_value = NULL;
    if (!read_string(conf, table, key, &value, err))
        return false;
    size_t len = value ? strlen(value) : 0;
    while (len > 0 && value[len - 1] == '/')
        len--;
    if (len && strstr(value, "://"))
        return fail(conf, toml_get(table, key), key, "must be HOST[:PORT][/PATH], without 'https://'", err);
    if (len && strcspn(value, " \t\r\n") < len)
        return fail(conf, toml_get(table, key), key, "must be HOST[:PORT][/PATH], without blanks", err);
    if (len)
        *ret_value = arena_strndup(conf->arena, value, len);
    return true;
}

static bool read_use(const struct conf *conf, const struct toml_node *table, enum mirror_use *ret_use, struct err *err)
{
    static const char key[] = "pull-from-mirror";
    static const char *const names[] = {
        [USE_ALL] = "all", [USE_FOR_DIGESTS] = "digest-only", [USE_FOR_TAGS] = "tag-only"};
    const char *value;
    *ret_use = USE_ALL;
    if (!read_string(conf, table, key, &value, err))
        return false;
    if (!value || !value[0])
        return true;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        *ret_use = (enum mirror_use)i;
        return true;
    }
    return fail(conf, toml_get(table, key), key, "must be all, digest-only or tag-only", err);
}

static bool read_mirror(struct conf *conf, const struct toml_node *table, struct registry_rule *rule, struct err *err)
{
    struct mirror mirror;
    if (table->kind != TOML_TABLE)
        return fail(conf, table, "mirror", "must be a table", err);
    if (!read_location(conf, table, "location", &mirror.location, err) ||
        !read_bool(conf, table, "insecure", &mirror.is_insecure, err) || !read_use(conf, table, &mirror.use, err))
        return false;
    if (!mirror.location)
        return fail(conf, table, "mirror", "has no location", err);
    if (rule->is_digest_only && mirror.use != USE_ALL)
        return fail(conf, table, "pull-from-mirror", "cannot stand beside mirror-by-digest-only", err);
    if (rule->is_digest_only)
        mirror.use = USE_FOR_DIGESTS;
    list_add(conf->arena, &rule->mirrors, mirror);
    return true;
}

static bool read_mirrors(struct conf *conf, const struct toml_node *table, struct registry_rule *rule, struct err *err)
{
    const struct toml_node *mirrors = toml_get(table, "mirror");
    if (mirrors && mirrors->kind != TOML_ARRAY)
        return fail(conf, mirrors, "mirror", "must be an array of tables: [[registry.mirror]]", err);
    for (const struct toml_node *mirror = mirrors ? mirrors->first : NULL; mirror; mirror = mirror->next) {
        if (!read_mirror(conf, mirror, rule, err))
            return false;
    }
    return true;
}

/* A rule takes the place of a former one with its prefix. */
static void keep(struct conf *conf, const struct registry_rule *rule)
{
    for (size_t i = 0; i < conf->rules.count; i++) {
        if (strcmp(conf->rules.items[i].prefix, rule->prefix) == 0) {
            conf->rules.items[i] = *rule;
            return;
        }
    }
    list_add(conf->arena, &conf->rules, *rule);
}

static bool read_rule(struct conf *conf, const struct toml_node *table, struct err *err)
{
    struct registry_rule rule = {.file = conf->file, .line = table->line};
    if (table->kind != TOML_TABLE)
        return fail(conf, table, "registry", "must be a table", err);
    if (!read_location(conf, table, "prefix", &rule.prefix, err) ||
        !read_location(conf, table, "location", &rule.location, err) ||
        !read_bool(conf, table, "insecure", &rule.is_insecure, err) ||
        !read_bool(conf, table, "blocked", &rule.is_blocked, err) ||
        !read_bool(conf, table, "mirror-by-digest-only", &rule.is_digest_only, err) ||
        !read_mirrors(conf, table, &rule, err))
        return false;
    if (!rule.prefix)
        rule.prefix = rule.location;
    if (!rule.prefix)
        return fail(conf, table, "registry", "has neither prefix nor location", err);
    const char *star = strchr(rule.prefix, '*');
    if (star && (star != rule.prefix || star[1] != '.' || strpbrk(star + 1, "*/:@")))
        return fail(conf, table, "prefix", "may have '*' only as in *.example.com", err);
    if (rule.location && strchr(rule.location, '*'))
        return fail(conf, table, "location", "must not have '*'", err);
    keep(conf, &rule);
    return true;
}

/* [registries.insecure] and [registries.block] of version 1: to pass them over would be wrong. */
static bool refuse_version_1(const struct conf *conf, const struct toml_node *root, struct err *err)
{
    static const char *const names[] = {"insecure", "block"};
    const struct toml_node *old = toml_get(root, "registries");
    for (size_t i = 0; old && i < ARRAY_COUNT(names); i++) {
        const struct toml_node *table = toml_get(old, names[i]), *list = table ? toml_get(table, "registries") : NULL;
        if (list && list->first)
            return fail(conf, table, "registries", "is the old form of this file: write [[registry]] tables", err);
    }
    return true;
}

/* Reads a file into the rules; *ret_found is false when there is none. */
static bool read_file(struct conf *conf, const char *path, bool *ret_found, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct toml_node *root;
    *ret_found = file_read_at(AT_FDCWD, path, FILE_BYTES_MAX, &bytes, err);
    if (!*ret_found) {
        bool is_absent = err->kind == ERR_LOCAL && (err->detail == ENOENT || err->detail == ENOTDIR);
        if (is_absent)
            err_clear(err);
        else if (!err_is_shortage(err))
            err->kind = ERR_USAGE;
        return is_absent;
    }
    conf->file = path;
    if (!toml_parse(conf->arena, path, (struct text){bytes.bytes ? bytes.bytes : "", bytes.len}, &root, err) ||
        !refuse_version_1(conf, root, err))
        return false;
    const struct toml_node *rules = toml_get(root, "registry");
    if (rules && rules->kind != TOML_ARRAY)
        return fail(conf, rules, "registry", "must be an array of tables: [[registry]]", err);
    for (const struct toml_node *rule = rules ? rules->first : NULL; rule; rule = rule->next) {
        if (!read_rule(conf, rule, err))
            return false;
    }
    return true;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool read_names(struct conf *conf, DIR *stream, const char *dir, struct strings *names, struct err *err)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream); // NOLINT(concurrency-mt-unsafe): the stream is ours alone
        if (!entry && !errno)
            return true;
        if (!entry || names->count == FILES_MAX) {
            err_set_errno(err, entry ? E2BIG : errno, "%s: cannot be listed", dir);
            return false;
        }
        if (text_has_suffix(text_of(entry->d_name), ".conf"))
            list_add(conf->arena, names, arena_printf(conf->arena, "%s/%s", dir, entry->d_name));
    }
}

/* Reads the *.conf files of a directory in the order of their names. */
static bool read_dir(struct conf *conf, const char *dir, struct err *err)
{
    struct strings names = {0};
    bool is_found;
    AUTO(close_dir) DIR *stream = opendir(dir);
    if (!stream && (errno == ENOENT || errno == ENOTDIR))
        return true;
    if (!stream) {
        err_set_errno(err, errno, "%s: cannot be listed", dir);
        return false;
    }
    if (!read_names(conf, stream, dir, &names, err))
        return false;
    if (names.count)
        qsort(names.items, names.count, sizeof names.items[0], compare_names);
    for (size_t i = 0; i < names.count; i++) {
        if (!read_file(conf, names.items[i], &is_found, err))
            return false;
    }
    return true;
}

/* The user's folder of configuration, or NULL. */
static const char *own_dir(struct arena *arena)
{
    const char *home = getenv("HOME");
    return home && home[0] == '/' ? arena_printf(arena, "%s/.config", home) : NULL;
}

void registries_conf_files(struct arena *arena, struct strings *ret_paths)
{
    const char *own = own_dir(arena), *named = getenv("CONTAINERS_REGISTRIES_CONF");
    *ret_paths = (struct strings){0};
    list_add(arena, ret_paths, "/etc/containers/registries.conf");
    list_add(arena, ret_paths, "/etc/containers/registries.conf.d");
    if (own) {
        list_add(arena, ret_paths, arena_printf(arena, "%s/containers/registries.conf", own));
        list_add(arena, ret_paths, arena_printf(arena, "%s/containers/registries.conf.d", own));
    }
    if (named && *named)
        list_add(arena, ret_paths, arena_strdup(arena, named));
}

static bool read_standard(struct conf *conf, struct err *err)
{
    const char *own = own_dir(conf->arena);
    const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
    bool is_found = false;
    if (named && *named) {
        if (!read_file(conf, arena_strdup(conf->arena, named), &is_found, err))
            return false;
        if (!is_found) {
            err_set(err, ERR_USAGE, "%s: no such file; CONTAINERS_REGISTRIES_CONF names it", named);
            return false;
        }
    }
    if (own && !is_found &&
        !read_file(conf, arena_printf(conf->arena, "%s/containers/registries.conf", own), &is_found, err))
        return false;
    if (!is_found && !read_file(conf, "/etc/containers/registries.conf", &is_found, err))
        return false;
    return read_dir(conf, "/etc/containers/registries.conf.d", err) &&
           (!own || read_dir(conf, arena_printf(conf->arena, "%s/containers/registries.conf.d", own), err));
}

static bool read_all(struct conf *conf, const char *path, struct err *err)
{
    bool is_found;
    if (!path)
        return read_standard(conf, err);
    if (!read_file(conf, path, &is_found, err))
        return false;
    if (!is_found)
        err_set(err, ERR_USAGE, "%s: no such file", path);
    return is_found;
}

/* Returns how many bytes of "host/repository:tag@digest" the prefix stands for, or 0. What follows must begin a new
 * part; a ':' right after a host begins a port, and host:port is another registry. */
static size_t match(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);
    if (prefix[0] == '*') {
        size_t host_len = strcspn(name, "/"), bare_len = strcspn(name, ":/");
        struct text host = {name, bare_len};
        return bare_len > len - 1 && text_has_suffix(host, prefix + 1) ? host_len : 0;
    }
    if (strncmp(name, prefix, len) != 0)
        return 0;
    bool is_port = name[len] == ':' && !strchr(prefix, '/');
    return name[len] == '\0' || (strchr("/:@", name[len]) && !is_port) ? len : 0;
}

/* Puts a location in the place of the prefix. */
static bool add_place(struct conf *conf, const struct registry_rule *rule, const char *location, const char *rest,
                      struct pull_place *place, struct err *err)
{
    const char *name = arena_printf(conf->arena, "%s%s", location, rest);
    if (reference_parse(conf->arena, name, false, &place->reference, err))
        return true;
    err_wrap(err, "%s:%zu", rule->file, rule->line);
    return false;
}

static bool list_places(struct conf *conf, const struct registry_rule *rule, const struct reference *reference,
                        const char *rest, struct pull_place **ret_places, size_t *ret_count, struct err *err)
{
    struct pull_place *places = arena_new_array(conf->arena, struct pull_place, rule->mirrors.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < rule->mirrors.count; i++) {
        const struct mirror *mirror = &rule->mirrors.items[i];
        if (mirror->use == (reference->has_digest ? USE_FOR_TAGS : USE_FOR_DIGESTS))
            continue;
        struct pull_place *place = &places[count++];
        place->is_mirror = true;
        place->is_insecure = mirror->is_insecure;
        if (!add_place(conf, rule, mirror->location, rest, place, err))
            return false;
    }
    struct pull_place *last = &places[count++];
    *last = (struct pull_place){.reference = *reference, .is_insecure = rule->is_insecure};
    *ret_places = places;
    *ret_count = count;
    return !rule->location || add_place(conf, rule, rule->location, rest, last, err);
}

/* Finds the entry of a reference ("host/repository:tag@digest"), the one with the longest prefix; NULL: none. Blocked:
 * ERR_USAGE. */
static bool find_rule(struct conf *conf, const char *path, const char *name, const struct registry_rule **ret_rule,
                      struct err *err)
{
    const struct registry_rule *best = NULL;
    *ret_rule = NULL;
    if (!read_all(conf, path, err))
        return false;
    for (size_t i = 0; i < conf->rules.count; i++) {
        const struct registry_rule *rule = &conf->rules.items[i];
        if (match(name, rule->prefix) && (!best || strlen(rule->prefix) > strlen(best->prefix)))
            best = rule;
    }
    *ret_rule = best;
    if (!best || !best->is_blocked)
        return true;
    err_set(err, ERR_USAGE, "%s: %s is blocked by %s:%zu", name, best->prefix, best->file, best->line);
    return false;
}

bool registries_conf_places(struct arena *arena, const char *path, const struct reference *reference,
                            struct pull_place **ret_places, size_t *ret_count, struct err *err)
{
    struct conf conf = {.arena = arena};
    const struct registry_rule none = {0}, *rule;
    const char *name = reference_print(arena, reference);
    if (!find_rule(&conf, path, name, &rule, err))
        return false;
    return list_places(&conf, rule ? rule : &none, reference, rule ? name + match(name, rule->prefix) : "", ret_places,
                       ret_count, err);
}

bool registries_conf_options(struct arena *arena, const struct registry_options *options,
                             const struct reference *reference, const struct registry_options **ret_options,
                             struct err *err)
{
    struct conf conf = {.arena = arena};
    const struct registry_rule *rule;
    *ret_options = options;
    if (!find_rule(&conf, NULL, reference_print(arena, reference), &rule, err))
        return false;
    if (rule && rule->is_insecure) {
        struct registry_options *insecure = arena_new(arena, struct registry_options);
        *insecure = *options;
        insecure->is_verify_off = true;
        *ret_options = insecure;
    }
    return true;
}

/* Whether a rule leads to a place that the name is below, and lets it be insecure. */
static bool leads_insecurely(const struct registry_rule *rule, const char *name)
{
    bool is_elsewhere = rule->location && strcmp(rule->location, rule->prefix) != 0;
    bool is_insecure = rule->is_insecure && is_elsewhere && match(name, rule->location) > 0;
    for (size_t i = 0; i < rule->mirrors.count; i++) {
        const struct mirror *mirror = &rule->mirrors.items[i];
        is_insecure = is_insecure || (mirror->is_insecure && match(name, mirror->location) > 0);
    }
    return is_insecure;
}

bool registries_conf_is_insecure(struct arena *arena, const struct reference *reference, bool *ret_is_insecure,
                                 struct err *err)
{
    struct conf conf = {.arena = arena};
    const struct registry_rule *rule;
    const char *name = arena_printf(arena, "%s/%s", reference->host, reference->repository);
    if (!find_rule(&conf, NULL, name, &rule, err))
        return false;
    *ret_is_insecure = rule && rule->is_insecure;
    for (size_t i = 0; i < conf.rules.count; i++)
        *ret_is_insecure = *ret_is_insecure || leads_insecurely(&conf.rules.items[i], name);
    return true;
}
