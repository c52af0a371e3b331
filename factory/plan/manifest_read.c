/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/manifest_parts.h"

/* The tables below are the definition of the format; manifests/README.md explains them. */
#define FIELD(type, struct_name, key, member, is_required)                                                             \
    YAML_FIELD(type, struct_name, key, member, is_required, ALTERS_ORDER)

static const struct yaml_field root_fields[] = {
    FIELD(YAML_STRING, manifest_form, "name", manifest.name, false),
    FIELD(YAML_STRING, manifest_form, "description", manifest.description, false),
    FIELD(YAML_STRING, manifest_form, "base", manifest.base, false),
    FIELD(YAML_STRINGS, manifest_form, "binaries", manifest.binaries, false),
    FIELD(YAML_NODE, manifest_form, "files", files, false),
    FIELD(YAML_STRINGS, manifest_form, "features", manifest.features, false),
    FIELD(YAML_STRING, manifest_form, "dlopen", dlopen, false),
    FIELD(YAML_STRING, manifest_form, "shell", manifest.shell, false),
    FIELD(YAML_STRING, manifest_form, "compression", manifest.compression, false),
    FIELD(YAML_STRING, manifest_form, "layers", manifest.layers, false),
    FIELD(YAML_NODE, manifest_form, "packages", packages, false),
    FIELD(YAML_NODE, manifest_form, "directories", directories, false),
    FIELD(YAML_NODE, manifest_form, "create", create, false),
    FIELD(YAML_NODE, manifest_form, "symlinks", symlinks, false),
    FIELD(YAML_NODE, manifest_form, "users", users, false),
    FIELD(YAML_NODE, manifest_form, "groups", groups, false),
    FIELD(YAML_STRINGS, manifest_form, "hwcaps", manifest.hwcaps, false),
    FIELD(YAML_STRINGS, manifest_form, "architectures", manifest.architectures, false),
    FIELD(YAML_NODE, manifest_form, "source", manifest.source, false),
    FIELD(YAML_NODE, manifest_form, "config", config, false),
    FIELD(YAML_NODE, manifest_form, "run", run, false),
    FIELD(YAML_NODE, manifest_form, "system-container", system, false),
    FIELD(YAML_NODE, manifest_form, "services", services, false),
    FIELD(YAML_STRING, manifest_form, "init", init, false),
    FIELD(YAML_NODE, manifest_form, "data", data, false),
    FIELD(YAML_NODE, manifest_form, "configure", configure, false),
    FIELD(YAML_NODE, manifest_form, "upgrade", upgrade, false),
    FIELD(YAML_STRINGS, manifest_form, "tags", manifest.tags, false),
    FIELD(YAML_STRING, manifest_form, "push", manifest.destination, false),
    FIELD(YAML_STRINGS, manifest_form, "sign", manifest.sign, false),
    FIELD(YAML_NODE, manifest_form, "automatic", automatic, false),
    FIELD(YAML_BOOL, manifest_form, "recipes", manifest.has_recipes, false),
    FIELD(YAML_STRINGS, manifest_form, "covers", covers, false),
    FIELD(YAML_BOOL, manifest_form, "strict", manifest.is_strict, false),
    FIELD(YAML_BOOL, manifest_form, "allow-unconfigured", manifest.allows_unconfigured, false),
};

static const struct yaml_field packages_fields[] = {
    FIELD(YAML_STRINGS, manifest_form, "install", install, false),
    FIELD(YAML_STRINGS, manifest_form, "first", manifest.packages_first, false),
    FIELD(YAML_STRINGS, manifest_form, "never", manifest.packages_never, false),
    FIELD(YAML_BOOL, manifest_form, "weak", manifest.is_weak, false),
    FIELD(YAML_BOOL, manifest_form, "older", manifest.is_older_fine, false),
    FIELD(YAML_BOOL, manifest_form, "complete", manifest.is_complete, false),
    FIELD(YAML_BOOL, manifest_form, "documentation", manifest.has_documentation, false),
    FIELD(YAML_STRING, manifest_form, "optional", optional, false),
};

/* One item of `files`. */
struct file_form {
    struct wish_file file;
    const struct yaml_node *optional; /* true, false or drop */
};

#define PART(key, part) FIELD(YAML_BOOL, manifest_form, key, manifest.automatic[part], false)

static const struct yaml_field automatic_fields[] = {
    PART("unit", AUTOMATIC_UNIT),
    PART("scripts", AUTOMATIC_SCRIPTS),
    PART("configuration", AUTOMATIC_CONFIGURATION),
    PART("accounts", AUTOMATIC_ACCOUNTS),
    PART("plug-ins", AUTOMATIC_PLUGINS),
    PART("interpreters", AUTOMATIC_INTERPRETERS),
    PART("shells", AUTOMATIC_SHELLS),
    PART("packages", AUTOMATIC_PACKAGES),
};

static const struct yaml_field file_fields[] = {
    FIELD(YAML_STRING, file_form, "path", file.path, true),
    FIELD(YAML_STRINGS, file_form, "package", file.packages, false),
    FIELD(YAML_NODE, file_form, "optional", optional, false),
};

static const struct yaml_field directory_fields[] = {
    FIELD(YAML_STRING, wish_made, "path", path, true),
    FIELD(YAML_MODE, wish_made, "mode", mode, false),
    FIELD(YAML_STRING, wish_made, "owner", owner, false),
    FIELD(YAML_STRING, wish_made, "group", group, false),
};

static const struct yaml_field create_fields[] = {
    FIELD(YAML_STRING, wish_made, "path", path, true),        FIELD(YAML_MODE, wish_made, "mode", mode, false),
    FIELD(YAML_STRING, wish_made, "owner", owner, false),     FIELD(YAML_STRING, wish_made, "group", group, false),
    FIELD(YAML_STRING, wish_made, "content", content, false), FIELD(YAML_STRING, wish_made, "from", from, false),
};

static const struct yaml_field symlink_fields[] = {
    FIELD(YAML_STRING, wish_made, "path", path, true),
    FIELD(YAML_STRING, wish_made, "target", target, true),
};

static const struct yaml_field user_fields[] = {
    FIELD(YAML_STRING, wish_user, "name", name, true),        FIELD(YAML_NUMBER, wish_user, "uid", uid, true),
    FIELD(YAML_STRING, wish_user, "group", group, false),     FIELD(YAML_STRINGS, wish_user, "groups", groups, false),
    FIELD(YAML_STRING, wish_user, "home", home, false),       FIELD(YAML_STRING, wish_user, "shell", shell, false),
    FIELD(YAML_STRING, wish_user, "comment", comment, false),
};

static const struct yaml_field group_fields[] = {
    FIELD(YAML_STRING, wish_group, "name", name, true),
    FIELD(YAML_NUMBER, wish_group, "gid", gid, true),
};

static const struct yaml_field config_fields[] = {
    FIELD(YAML_STRINGS, manifest_config, "entrypoint", entrypoint, false),
    FIELD(YAML_STRINGS, manifest_config, "cmd", cmd, false),
    FIELD(YAML_PAIRS, manifest_config, "env", env, false),
    FIELD(YAML_STRING, manifest_config, "user", user, false),
    FIELD(YAML_STRING, manifest_config, "working-dir", working_dir, false),
    FIELD(YAML_STRINGS, manifest_config, "ports", ports, false),
    FIELD(YAML_STRINGS, manifest_config, "volumes", volumes, false),
    FIELD(YAML_STRING, manifest_config, "stop-signal", stop_signal, false),
    FIELD(YAML_PAIRS, manifest_config, "labels", labels, false),
    FIELD(YAML_PAIRS, manifest_config, "annotations", annotations, false),
    FIELD(YAML_STRING, manifest_config, "author", author, false),
};

#define TABLE(place, fields)                                                                                           \
    {                                                                                                                  \
        place, fields, ARRAY_COUNT(fields)                                                                             \
    }

static const struct yaml_table tables[] = {
    TABLE("", root_fields),           TABLE("packages", packages_fields),
    TABLE("config", config_fields),   TABLE("automatic", automatic_fields),
    TABLE("files[]", file_fields),    TABLE("directories[]", directory_fields),
    TABLE("create[]", create_fields), TABLE("symlinks[]", symlink_fields),
    TABLE("users[]", user_fields),    TABLE("groups[]", group_fields),
};

struct yaml_tables manifest_tables(void)
{
    return (struct yaml_tables){tables, ARRAY_COUNT(tables)};
}

/* Of a key that is unknown in its place: the place below which it belongs; NULL when there is none. */
static const char *find_place(const char *key)
{
    static const char *const places[] = {"config", "packages", "run", "system-container"};
    const struct yaml_tables all[] = {manifest_tables(), contract_tables(), system_container_tables()};
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(all) * ARRAY_COUNT(tables); j++) {
            size_t k = j % ARRAY_COUNT(tables);
            const struct yaml_tables *set = &all[j / ARRAY_COUNT(tables)];
            if (k < set->count && strcmp(set->items[k].place, places[i]) == 0 && yaml_has_field(&set->items[k], key))
                return places[i];
        }
    }
    return NULL;
}

/* Refuses keys that stand at the top but belong below one: the table of the top alone would only know that they are none. */
static bool check_places(const struct yaml_node *root, struct err *err)
{
    for (size_t i = 0; root->kind == YAML_MAPPING && i < root->count; i++) {
        const struct yaml_node *key = root->keys[i];
        const char *place = yaml_has_field(&tables[0], key->scalar) ? NULL : find_place(key->scalar);
        if (place)
            return yaml_fail(key, err, "unknown key '%s'; did you mean '%s' below '%s:'?", key->scalar, key->scalar,
                             place);
    }
    return true;
}

/* Reads what stands under `packages`; a list there is meant for `install`. */
static bool read_packages(struct arena *arena, struct manifest_form *form, struct err *err)
{
    const struct yaml_node *node = form->packages;
    if (node && node->kind != YAML_MAPPING)
        return yaml_fail(node, err, "'packages' wants a mapping, not %s; did you mean packages: {install: [%s]}?",
                         yaml_kind_name(node->kind),
                         node->kind == YAML_SCALAR || (node->count == 1 && node->items[0]->kind == YAML_SCALAR)
                             ? text_printable(arena, text_of(yaml_item(node, 0)->scalar))
                             : "…");
    return !node || yaml_read(arena, node, packages_fields, ARRAY_COUNT(packages_fields), form, err);
}

/* Checks that a key that was given is a list. A key that is absent is an empty one. */
static bool want_list(const struct yaml_node *node, const char *key, struct err *err)
{
    if (node && node->kind != YAML_SEQUENCE)
        return yaml_fail(node, err, "'%s' wants a list (lines that begin with '- '), not %s", key,
                         yaml_kind_name(node->kind));
    return true;
}

static size_t list_count(const struct yaml_node *node)
{
    return node ? node->count : 0;
}

/* Reads an item that is a mapping, or a path alone where `ret_path` is given. */
static bool read_item(struct arena *arena, const struct yaml_node *node, const struct yaml_field *fields,
                      size_t field_count, const char **ret_path, void *into, struct err *err)
{
    if (ret_path && node->kind == YAML_SCALAR) {
        *ret_path = node->scalar;
        return true;
    }
    return yaml_read(arena, node, fields, field_count, into, err);
}

/* It may be absent; or it has to be there, but not to be loadable. */
static bool read_optional(const struct yaml_node *node, struct wish_file *file, struct err *err)
{
    const char *word = node && node->kind == YAML_SCALAR && !node->is_quoted ? node->scalar : "";
    file->is_lenient = strcmp(word, "drop") == 0;
    file->is_optional = strcmp(word, "true") == 0;
    return !node || file->is_lenient || file->is_optional || strcmp(word, "false") == 0 ||
           yaml_fail(node, err, "'optional' wants true, false or drop (without quotes)");
}

static bool read_files(struct arena *arena, struct manifest_form *form, struct err *err)
{
    if (!want_list(form->files, "files", err))
        return false;
    for (size_t i = 0; i < list_count(form->files); i++) {
        struct file_form item = {0};
        if (!read_item(arena, form->files->items[i], file_fields, ARRAY_COUNT(file_fields), &item.file.path, &item,
                       err) ||
            !read_optional(item.optional, &item.file, err))
            return false;
        list_add(arena, &form->manifest.wishes.files, item.file);
    }
    return true;
}

/* One of the three lists of things that the manifest itself makes. */
struct made_list {
    const char *key;
    const struct yaml_node *node;
    const struct yaml_field *fields;
    size_t field_count;
    struct wish_made defaults;
};

static bool read_made(struct arena *arena, struct manifest_form *form, const struct made_list *list, struct err *err)
{
    if (!want_list(list->node, list->key, err))
        return false;
    for (size_t i = 0; i < list_count(list->node); i++) {
        const struct yaml_node *node = list->node->items[i];
        struct wish_made made = list->defaults;
        made.node = node;
        const char **path = made.kind == MADE_SYMLINK ? NULL : &made.path;
        if (!read_item(arena, node, list->fields, list->field_count, path, &made, err) ||
            (made.from && !manifest_read_from(arena, form, &made, err)))
            return false;
        list_add(arena, &form->manifest.wishes.made, made);
    }
    return true;
}

static bool read_all_made(struct arena *arena, struct manifest_form *form, struct err *err)
{
    const struct made_list lists[] = {
        {"directories",
         form->directories,
         directory_fields,
         ARRAY_COUNT(directory_fields),
         {.kind = MADE_DIRECTORY, .mode = 0755, .owner = "root", .group = "root"}},
        {"create",
         form->create,
         create_fields,
         ARRAY_COUNT(create_fields),
         {.kind = MADE_FILE, .mode = 0644, .owner = "root", .group = "root", .content = ""}},
        {"symlinks",
         form->symlinks,
         symlink_fields,
         ARRAY_COUNT(symlink_fields),
         {.kind = MADE_SYMLINK, .mode = 0777, .owner = "root", .group = "root"}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        if (!read_made(arena, form, &lists[i], err))
            return false;
    }
    return true;
}

static bool read_users(struct arena *arena, struct manifest_form *form, struct err *err)
{
    if (!want_list(form->users, "users", err) || !want_list(form->groups, "groups", err))
        return false;
    for (size_t i = 0; i < list_count(form->groups); i++) {
        struct wish_group group = {0};
        if (!yaml_read(arena, form->groups->items[i], group_fields, ARRAY_COUNT(group_fields), &group, err))
            return false;
        list_add(arena, &form->manifest.wishes.groups, group);
    }
    for (size_t i = 0; i < list_count(form->users); i++) {
        struct wish_user user = {.comment = "", .home = "/nonexistent", .shell = "/usr/sbin/nologin"};
        if (!yaml_read(arena, form->users->items[i], user_fields, ARRAY_COUNT(user_fields), &user, err))
            return false;
        list_add(arena, &form->manifest.wishes.users, user);
    }
    return true;
}

bool manifest_read_parts(struct arena *arena, struct manifest_form *form, struct err *err)
{
    if (!read_files(arena, form, err) || !read_all_made(arena, form, err) || !read_users(arena, form, err))
        return false;
    const struct yaml_pairs *env = &form->manifest.config.env;
    struct wishes *wishes = &form->manifest.wishes;
    for (size_t i = 0; i < env->count; i++)
        list_add(arena, &wishes->env, (struct wish_variable){.name = env->items[i].key, .value = env->items[i].value});
    bool is_lenient = form->optional && strcmp(form->optional, "drop") == 0;
    for (size_t i = 0; i < form->install.count; i++) {
        struct wish_package package = {.name = form->install.items[i], .is_lenient = is_lenient};
        list_add(arena, &wishes->packages, package);
    }
    return true;
}

/* automatic: true, false, or a mapping that turns parts off. */
static bool read_automatic(struct arena *arena, struct manifest_form *form, struct err *err)
{
    const struct yaml_node *node = form->automatic;
    if (!node)
        return true;
    bool is_off = node->kind == YAML_SCALAR && !node->is_quoted && strcmp(node->scalar, "false") == 0;
    bool is_on = node->kind == YAML_SCALAR && !node->is_quoted && strcmp(node->scalar, "true") == 0;
    if (node->kind != YAML_MAPPING && !is_on && !is_off)
        return yaml_fail(node, err, "'automatic' is true, false, or a mapping such as {shells: false}");
    for (size_t i = 0; i < AUTOMATIC_COUNT; i++)
        form->manifest.automatic[i] = !is_off;
    return node->kind != YAML_MAPPING ||
           yaml_read(arena, node, automatic_fields, ARRAY_COUNT(automatic_fields), form, err);
}

/* "manifests/dhcpd.yaml" → "dhcpd" */
static const char *stem_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return arena_strndup(arena, base, dot ? (size_t)(dot - base) : strlen(base));
}

static void set_defaults(struct arena *arena, const struct yaml_file *file, struct manifest *manifest)
{
    if (!manifest->name)
        manifest->name = stem_of(arena, file->path);
    manifest->has_architectures = yaml_get(file->root, "architectures") != NULL;
    if (!manifest->has_architectures) {
        list_add(arena, &manifest->architectures, "x86_64");
        list_add(arena, &manifest->architectures, "aarch64");
    }
    manifest->has_tags = yaml_get(file->root, "tags");
    if (!manifest->has_tags)
        list_add(arena, &manifest->tags, "latest");
}

bool manifest_read(struct arena *arena, const struct yaml_file *file, struct manifest_form *ret_form, struct err *err)
{
    struct manifest_form form = {.root = file->root,
                                 .is_from_fine = true,
                                 .manifest = {.path = file->path, .digest = file->digest, .has_recipes = true}};
    if (!form.root) {
        err_set(err, ERR_USAGE, "%s:1:1: the manifest is empty", file->path);
        return false;
    }
    if (!check_places(form.root, err) ||
        !yaml_read(arena, form.root, root_fields, ARRAY_COUNT(root_fields), &form, err) ||
        !read_packages(arena, &form, err))
        return false;
    if (form.config &&
        !yaml_read(arena, form.config, config_fields, ARRAY_COUNT(config_fields), &form.manifest.config, err))
        return false;
    form.manifest.config.node = form.config;
    form.manifest.installs = form.install.count != 0;
    if (!read_automatic(arena, &form, err))
        return false;
    if (!manifest_read_parts(arena, &form, err))
        return false;
    set_defaults(arena, file, &form.manifest);
    if (form.system && !system_container_read(arena, form.system, &form, err))
        return false;
    *ret_form = form;
    return true;
}
