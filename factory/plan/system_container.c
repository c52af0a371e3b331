/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/system_container.h"

#include "plan/manifest_parts.h"
#include "plan/rules.h"

#define EXPORTS "/exports"
#define HOSTFS "/exports/hostfs"

/* The tables below are the definition of the format; manifests/README.md explains them. */
#define FIELD(type, struct_name, key, member, is_required)                                                             \
    YAML_FIELD(type, struct_name, key, member, is_required, ALTERS_ORDER)

/* The mapping as it is read. */
struct system_form {
    struct system_container system;
    const char *version, *release, *summary, *maintainer, *usage, *component;
    const char *config, *service, *manifest, *tmpfiles; /* names of files beside the manifest */
    bool is_once;
    const struct yaml_node *hostfs;
};

/* One item of `hostfs`. */
struct hostfs_form {
    struct wish_made made;
    const char *as;
    bool is_template;
};

static const struct yaml_field system_fields[] = {
    FIELD(YAML_PAIRS, system_form, "variables", system.variables, false),
    FIELD(YAML_STRING, system_form, "version", version, false),
    FIELD(YAML_STRING, system_form, "release", release, false),
    FIELD(YAML_STRING, system_form, "summary", summary, false),
    FIELD(YAML_STRING, system_form, "maintainer", maintainer, false),
    FIELD(YAML_STRING, system_form, "usage", usage, false),
    FIELD(YAML_STRING, system_form, "component", component, false),
    FIELD(YAML_BOOL, system_form, "once", is_once, false),
    FIELD(YAML_BOOL, system_form, "no-service", system.has_no_service, false),
    FIELD(YAML_STRING, system_form, "config", config, false),
    FIELD(YAML_STRING, system_form, "service", service, false),
    FIELD(YAML_STRING, system_form, "manifest", manifest, false),
    FIELD(YAML_STRING, system_form, "tmpfiles", tmpfiles, false),
    FIELD(YAML_NODE, system_form, "hostfs", hostfs, false),
};

static const struct yaml_field hostfs_fields[] = {
    FIELD(YAML_STRING, hostfs_form, "path", made.path, true),
    FIELD(YAML_STRING, hostfs_form, "source", made.source, false),
    FIELD(YAML_STRING, hostfs_form, "content", made.content, false),
    FIELD(YAML_STRING, hostfs_form, "from", made.from, false),
    FIELD(YAML_MODE, hostfs_form, "mode", made.mode, false),
    FIELD(YAML_STRING, hostfs_form, "as", as, false),
    FIELD(YAML_BOOL, hostfs_form, "template", is_template, false),
};

static const struct yaml_table tables[] = {
    {"system-container", system_fields, ARRAY_COUNT(system_fields)},
    {"system-container: hostfs[]", hostfs_fields, ARRAY_COUNT(hostfs_fields)},
};

struct yaml_tables system_container_tables(void)
{
    return (struct yaml_tables){tables, ARRAY_COUNT(tables)};
}

/* Adds a file that stands beside the manifest. */
static bool add_file(struct arena *arena, const struct yaml_node *node, const char *name, const char *path,
                     struct manifest_form *form, struct err *err)
{
    struct wish_made made = {
        .kind = MADE_FILE, .path = path, .mode = 0644, .owner = "root", .group = "root", .from = name, .node = node};
    if (!manifest_read_from(arena, form, &made, err))
        return false;
    list_add(arena, &form->manifest.wishes.made, made);
    return true;
}

static bool add_files(struct arena *arena, const struct yaml_node *node, struct system_form *system,
                      struct manifest_form *form, struct err *err)
{
    const struct {
        const char *name, *path;
        bool *is_there;
    } rows[] = {
        {system->config, EXPORTS "/config.json.template", &system->system.has_config},
        {system->service, EXPORTS "/service.template", &system->system.has_service},
        {system->manifest, EXPORTS "/manifest.json", &system->system.has_manifest},
        {system->tmpfiles, EXPORTS "/tmpfiles.template", &system->system.has_tmpfiles},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        *rows[i].is_there = rows[i].name != NULL;
        if (rows[i].name && !add_file(arena, node, rows[i].name, rows[i].path, form, err))
            return false;
    }
    return true;
}

static bool read_hostfs_item(struct arena *arena, const struct yaml_node *node, struct system_form *system,
                             struct manifest_form *form, struct err *err)
{
    struct hostfs_form item = {.made = {.kind = MADE_FILE, .owner = "root", .group = "root", .node = node}};
    struct wish_made *made = &item.made;
    if (!yaml_read(arena, node, hostfs_fields, ARRAY_COUNT(hostfs_fields), &item, err))
        return false;
    const char *path = made->path, *why = rule_path(path);
    if (why || (item.as && item.as[0] != '/' && item.as[0] != '$'))
        return yaml_fail(node, err, "'%s' %s", text_printable(arena, text_of(why ? path : item.as)),
                         why ? why : "must be an absolute path");
    if ((made->source != NULL) + (made->content != NULL) + (made->from != NULL) != 1)
        return yaml_fail(node, err,
                         "one of 'source' (a path of the image), 'content' and 'from' (a file beside the "
                         "manifest) says what is in '%s'",
                         text_printable(arena, text_of(path)));
    made->kind = made->source ? MADE_COPY : MADE_FILE;
    made->keeps_mode = made->source && !made->mode;
    made->mode = made->mode ? made->mode : 0644;
    made->path = arena_printf(arena, HOSTFS "%s", path);
    if (made->mode & 07000)
        return yaml_fail(node, err, "'%s': a file with setuid, setgid or sticky bit is not put on a host", path);
    if (made->from && !manifest_read_from(arena, form, made, err))
        return false;
    if (item.as)
        list_add(arena, &system->system.renames, ((struct yaml_pair){path, item.as, node}));
    if (item.is_template)
        list_add(arena, &system->system.templates, path);
    list_add(arena, &form->manifest.wishes.made, *made);
    return true;
}

static bool read_hostfs(struct arena *arena, struct system_form *system, struct manifest_form *form, struct err *err)
{
    const struct yaml_node *list = system->hostfs;
    if (list && list->kind != YAML_SEQUENCE)
        return yaml_fail(list, err, "'hostfs' wants a list (lines that begin with '- '), not %s",
                         yaml_kind_name(list->kind));
    for (size_t i = 0; list && i < list->count; i++) {
        if (!read_hostfs_item(arena, list->items[i], system, form, err))
            return false;
    }
    return true;
}

/* Adds a label that the manifest has not by itself. */
static void add_label(struct arena *arena, struct manifest_form *form, const struct yaml_node *node, const char *name,
                      const char *value)
{
    struct yaml_pairs *labels = &form->manifest.config.labels;
    for (size_t i = 0; i < labels->count; i++) {
        if (strcmp(labels->items[i].key, name) == 0)
            return;
    }
    if (value)
        list_add(arena, labels, ((struct yaml_pair){name, value, node}));
}

static bool add_labels(struct arena *arena, const struct yaml_node *node, const struct system_form *system,
                       struct manifest_form *form, struct err *err)
{
    const struct manifest *manifest = &form->manifest;
    const char *summary = system->summary ? system->summary : manifest->description;
    const char *maintainer = system->maintainer ? system->maintainer : manifest->config.author;
    const char *usage = arena_printf(arena, "imgfactory system install IMAGE --name %s", manifest->name);
    if (!summary)
        return yaml_fail(node, err, "wants a summary: here, or as 'description' of the manifest");
    if (!maintainer)
        return yaml_fail(node, err, "wants a maintainer: here, or as 'author' below 'config:'");
    add_label(arena, form, node, "atomic.type", "system");
    add_label(arena, form, node, "name", "{name}");
    add_label(arena, form, node, "version", system->version ? system->version : "{version}");
    add_label(arena, form, node, "release", system->release ? system->release : "{release}");
    add_label(arena, form, node, "architecture", "{arch}");
    add_label(arena, form, node, "summary", summary);
    add_label(arena, form, node, "maintainer", maintainer);
    add_label(arena, form, node, "usage", system->usage ? system->usage : usage);
    add_label(arena, form, node, "com.redhat.component", system->component);
    add_label(arena, form, node, "atomic.run", system->is_once ? "once" : NULL);
    return true;
}

static bool check_variables(struct arena *arena, const struct system_form *system, struct err *err)
{
    const struct yaml_pairs *variables = &system->system.variables;
    for (size_t i = 0; i < variables->count; i++) {
        const struct yaml_pair *pair = &variables->items[i];
        if (!rule_is_variable(pair->key))
            return yaml_fail(pair->node, err, "'%s' is no name of a variable (letters, digits, '_')",
                             text_printable(arena, text_of(pair->key)));
        if (!rule_is_one_line(pair->value, false))
            return yaml_fail(pair->node, err, "the default of '%s' has control characters", pair->key);
    }
    return true;
}

bool system_container_read(struct arena *arena, const struct yaml_node *node, struct manifest_form *form,
                           struct err *err)
{
    struct system_form *system = arena_new(arena, struct system_form);
    if (!yaml_read(arena, node, system_fields, ARRAY_COUNT(system_fields), system, err) ||
        !check_variables(arena, system, err) || !add_files(arena, node, system, form, err) ||
        !read_hostfs(arena, system, form, err) || !add_labels(arena, node, system, form, err))
        return false;
    form->manifest.system = &system->system;
    return true;
}
