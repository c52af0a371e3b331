/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include "base/units.h"
#include "cli/option_table.h"
#include "cli/places.h"
#include "cli/variables.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/utsname.h>

#define NAME_COLUMN 24
#define VALUE_COLUMN 36

/* One thing that holds. */
struct setting {
    const char *name, *value, *from;
};

struct settings {
    struct command *command;
    struct arena *arena;
    LIST(struct setting) items;
};

/* Writes a value of the site file as YAML has it on one line; of a mapping only that there is one. */
static const char *node_text(struct arena *arena, const struct yaml_node *node)
{
    const char *list = "";
    if (node->kind == YAML_SCALAR)
        return node->scalar;
    for (size_t i = 0; node->kind == YAML_SEQUENCE && i < node->count; i++)
        list = arena_printf(arena, "%s%s%s", list, i ? ", " : "", node_text(arena, node->items[i]));
    return node->kind == YAML_SEQUENCE ? arena_printf(arena, "[%s]", list) : "{…}";
}

/* A value without the names and passwords that URLs may have. Only a proxy's, of the environment, may be without a scheme. */
static const char *without_secrets(struct arena *arena, const char *value, bool may_lack_scheme)
{
    const char *scheme = strstr(value, "://"), *begin = scheme ? scheme + 3 : value;
    if (!scheme && !may_lack_scheme)
        return value;
    size_t len = strcspn(begin, "/, ");
    const char *at = memrchr(begin, '@', len), *rest = at ? at : begin;
    return arena_printf(arena, "%.*s%s%.*s%s", (int)(begin - value), value, at ? "…" : "", (int)(begin + len - rest),
                        rest, without_secrets(arena, begin + len, false));
}

/* What the site file says under a key; paths as they count, relative to where the command is. */
static const char *site_text(const struct settings *settings, const char *key)
{
    const struct site *site = &settings->command->site;
    const struct yaml_node *node = site->root ? yaml_get(site->root, key) : NULL;
    const struct {
        const char *key, *value;
    } paths[] = {{"arch", site->arch},
                 {"authfile", site->authfile},
                 {"source", site->source},
                 {"output", site->output},
                 {"report", site->report}};
    for (size_t i = 0; node && i < ARRAY_COUNT(paths); i++) {
        if (strcmp(paths[i].key, key) == 0)
            return paths[i].value;
    }
    return node ? node_text(settings->arena, node) : NULL;
}

/* What the command line says: the last one, or of an option that may come again all. */
static const char *given_text(const struct settings *settings, const struct option_row *row)
{
    const struct options *options = &settings->command->options;
    const char *text = NULL;
    for (size_t i = 0; i < options->given_names.count; i++) {
        const char *value = options->given_values.items[i];
        if (strcmp(options->given_names.items[i], row->name) == 0)
            text = text && row->kind == OPTION_STRINGS ? arena_printf(settings->arena, "%s, %s", text, value) : value;
    }
    return text;
}

/* What --help calls the default: "(default: out)", or "gzip (default)". NULL: it names none. */
static const char *told_default(struct arena *arena, const char *help)
{
    const char *at = strstr(help, "default: "), *begin = help;
    if (at)
        return arena_strndup(arena, at + 9, strcspn(at + 9, ";)"));
    at = strstr(help, " (default)");
    for (const char *c = help; at && c < at; c++)
        begin = (c[0] == ':' || c[0] == ',') && c[1] == ' ' ? c + 2 : begin;
    return at ? arena_strndup(arena, begin, (size_t)(at - begin)) : NULL;
}

/* Defaults that depend on this machine. */
static bool find_default(const struct settings *settings, const struct option_row *row, const char **ret_text,
                         struct err *err)
{
    struct arena *arena = settings->arena;
    struct utsname host;
    if (strcmp(row->name, "cache") == 0)
        return places_user_dir(arena, "XDG_CACHE_HOME", ".cache", "/var/cache", ret_text, err);
    if (strcmp(row->name, "state") == 0)
        return places_user_dir(arena, "XDG_STATE_HOME", ".local/state", "/var/lib", ret_text, err);
    if (strcmp(row->name, "arches") == 0 || strcmp(row->name, "manifests") == 0)
        return places_data_dir(arena, row->name, ret_text, err);
    if (strcmp(row->name, "jobs") == 0)
        *ret_text = arena_printf(arena, "%zu", command_jobs(settings->command));
    else if (strcmp(row->name, "sync-wait") == 0 && settings->command->site.path)
        *ret_text = arena_strdup(arena, units_duration(command_sync_wait_ms(settings->command)).chars);
    else if (strcmp(row->name, "arch") == 0 && uname(&host) == 0)
        *ret_text = arena_strdup(arena, host.machine);
    else
        *ret_text = row->kind == OPTION_FLAG   ? "false"
                    : row->kind == OPTION_BOOL ? "true"
                                               : told_default(arena, row->help);
    return true;
}

/* Whether a row says how a run goes, and not that something is printed instead of it. */
static bool is_setting(const struct option_row *row)
{
    if (option_of_name(text_of(row->name), COMMAND_BUILD) != row)
        return false; /* another one of a command that builds nothing */
    static const char *const others[] = {"help", "version", "list"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (strcmp(row->name, others[i]) == 0)
            return false;
    }
    return true;
}

static bool add_option(struct settings *settings, const struct option_row *row, struct err *err)
{
    const struct command *command = settings->command;
    struct setting setting = {row->name, given_text(settings, row), "command line"};
    bool is_site_s = strcmp(row->name, "source") != 0 || !command->options.suite; /* --suite is for the host's own */
    if (!setting.value && is_site_s) {
        setting.value = site_text(settings, row->name);
        setting.from = command->site.path;
    }
    if (!setting.value) {
        setting.from = "default";
        if (!find_default(settings, row, &setting.value, err))
            return false;
    }
    setting.value = setting.value ? without_secrets(settings->arena, setting.value, false) : "";
    list_add(settings->arena, &settings->items, setting);
    return true;
}

/* Keys of the site file that are no option. */
static void add_keys(struct settings *settings)
{
    size_t count;
    const struct yaml_field *keys = site_keys(&count);
    for (size_t i = 0; i < count; i++) {
        const char *value = option_of_name(text_of(keys[i].key), 0) ? NULL : site_text(settings, keys[i].key);
        if (value)
            list_add(settings->arena, &settings->items,
                     (struct setting){keys[i].key, without_secrets(settings->arena, value, false),
                                      settings->command->site.path});
    }
}

static void add_variables(struct settings *settings)
{
    struct variables variables = variables_all();
    for (size_t i = 0; i < variables.count; i++) {
        struct text rest = text_of(variables.items[i].name), name;
        while (text_next(&rest, ',', &name)) {
            const char *key = text_dup(settings->arena, text_trim(name));
            const char *value = getenv(key); // NOLINT(concurrency-mt-unsafe): nobody changes the environment
            if (value)
                list_add(settings->arena, &settings->items,
                         (struct setting){key,
                                          variable_is_secret(key) ? "…" : without_secrets(settings->arena, value, true),
                                          "environment"});
        }
    }
}

static void print_json(const struct settings *settings)
{
    const char *path = settings->command->site.path;
    json_auto_t *json = json_object(), *items = json_array();
    for (size_t i = 0; i < settings->items.count; i++) {
        const struct setting *item = &settings->items.items[i];
        const char *texts[] = {item->name, item->value, item->from};
        for (size_t j = 0; j < ARRAY_COUNT(texts); j++)
            texts[j] = text_printable(settings->arena, text_of(texts[j]));
        (void)json_array_append_new(
            items, json_pack("{s:s, s:s, s:s}", "name", texts[0], "value", texts[1], "from", texts[2]));
    }
    (void)json_object_set_new(json, "site_file",
                              path ? json_string(text_printable(settings->arena, text_of(path))) : json_null());
    (void)json_object_set(json, "settings", items);
    (void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)fputc('\n', stdout);
}

static void print_lines(const struct settings *settings)
{
    const char *path = settings->command->site.path;
    (void)printf("site file: %s\n", path ? text_printable(settings->arena, text_of(path)) : "none");
    (void)printf("%-*s%-*s%s\n", NAME_COLUMN, "NAME", VALUE_COLUMN, "VALUE", "FROM");
    for (size_t i = 0; i < settings->items.count; i++) {
        const struct setting *item = &settings->items.items[i];
        const char *value = text_printable(settings->arena, text_of(item->value));
        const char *from = text_printable(settings->arena, text_of(item->from));
        if (strlen(value) < VALUE_COLUMN)
            (void)printf("%-*s %-*s %s\n", NAME_COLUMN - 1, item->name, VALUE_COLUMN - 1, *value ? value : "-", from);
        else /* its origin begins where all do, on a line of its own */
            (void)printf("%-*s %s\n%*s%s\n", NAME_COLUMN - 1, item->name, value, NAME_COLUMN + VALUE_COLUMN, "", from);
    }
}

bool settings_run(struct command *command, struct err *err)
{
    struct settings settings = {.command = command, .arena = &command->arena};
    struct option_rows rows = option_table();
    for (size_t i = 0; i < rows.count; i++) {
        if (is_setting(&rows.items[i]) && !add_option(&settings, &rows.items[i], err))
            return false;
    }
    add_keys(&settings);
    add_variables(&settings);
    if (command->options.is_json)
        print_json(&settings);
    else
        print_lines(&settings);
    return true;
}
