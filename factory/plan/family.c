/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/family.h"

#include "base/auto.h"
#include "plan/data_folder.h"
#include "plan/manifest_parts.h"
#include "plan/rules.h"

/* A family as it is read. */
struct family_form {
    struct family family;
    struct manifest_form skeleton; /* with the root node */
    const struct yaml_node *identity, *accounts, *root, *nobody, *tools, *static_shell;
    struct manifest_form service;
};

#define FIELD(type, key, member, is_required) YAML_FIELD(type, family_form, key, member, is_required, ALTERS_ORDER)

static const struct yaml_field root_fields[] = {
    FIELD(YAML_STRING, "kind", family.kind, true),
    FIELD(YAML_NODE, "identity", identity, true),
    FIELD(YAML_STRING, "layout", family.layout, false),
    FIELD(YAML_NODE, "accounts", accounts, true),
    FIELD(YAML_NODE, "root", root, true),
    FIELD(YAML_NODE, "nobody", nobody, true),
    FIELD(YAML_STRINGS, "whole-system", family.whole_system, false),
    FIELD(YAML_STRINGS, "documentation", family.documentation, false),
    FIELD(YAML_NODE, "tools", tools, false),
    FIELD(YAML_NODE, "static-shell", static_shell, false),
    FIELD(YAML_STRINGS, "dispensable", family.dispensable, false),
    FIELD(YAML_STRINGS, "host", family.for_host, false),
    FIELD(YAML_STRINGS, "plug-in-libraries", family.plugin_libraries, false),
    FIELD(YAML_NODE, "directories", skeleton.directories, false),
    FIELD(YAML_NODE, "symlinks", skeleton.symlinks, false),
    FIELD(YAML_NODE, "service-directories", service.directories, false),
    FIELD(YAML_NODE, "users", skeleton.users, false),
    FIELD(YAML_NODE, "groups", skeleton.groups, false),
};

static const struct yaml_field identity_fields[] = {
    FIELD(YAML_STRING, "package", family.identity_package, true),
    FIELD(YAML_STRING, "edition", family.identity_edition, false),
    FIELD(YAML_STRINGS, "files", family.identity_files, true),
};

static const struct yaml_field static_shell_fields[] = {
    FIELD(YAML_STRING, "name", family.static_shell.name, true),
    FIELD(YAML_STRING, "program", family.static_shell.program, true),
    FIELD(YAML_STRINGS, "packages", family.static_shell.packages, true),
};

static const struct yaml_field accounts_fields[] = {
    YAML_FIELD(YAML_STRING, family_accounts, "package", package, true, ALTERS_ORDER),
    YAML_FIELD(YAML_STRING, family_accounts, "passwd", passwd, true, ALTERS_ORDER),
    YAML_FIELD(YAML_STRING, family_accounts, "group", group, true, ALTERS_ORDER),
};

static const struct yaml_field superuser_fields[] = {
    FIELD(YAML_STRING, "comment", family.root.comment, true),
    FIELD(YAML_STRING, "home", family.root.home, true),
};

static const struct yaml_field nobody_fields[] = {
    FIELD(YAML_STRING, "comment", family.nobody.comment, true),
    FIELD(YAML_STRING, "home", family.nobody.home, true),
    FIELD(YAML_STRING, "group", family.nobody.group, true),
};

static const char *why_not_group(const char *name)
{
    return rule_is_user_name(name) ? NULL : "is not a group's name";
}

static const char *why_not_comment(const char *comment)
{
    return rule_is_one_line(comment, true) ? NULL : "must be one line without ':'";
}

static const char *why_not_home(const char *path)
{
    return rule_is_one_line(path, true) ? rule_path_or_root(path) : "must be one line without ':'";
}

static const char *why_not_suffix(const char *suffix)
{
    return rule_is_one_line(suffix, false) ? NULL : "has a control character";
}

/* Checks the string of a key, when it is given. */
static bool check(const struct yaml_node *parent, const char *key, const char *value,
                  const char *(*why_not)(const char *), struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    const char *why = value ? why_not(value) : NULL;
    return !why || yaml_fail(yaml_get(parent, key), err, "'%s' %s", text_printable(&scratch, text_of(value)), why);
}

static bool check_list(const struct yaml_node *parent, const char *key, const struct strings *values,
                       const char *(*why_not)(const char *), struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    for (size_t i = 0; i < values->count; i++) {
        const char *why = why_not(values->items[i]);
        if (why)
            return yaml_fail(yaml_item(yaml_get(parent, key), i), err, "'%s' %s",
                             text_printable(&scratch, text_of(values->items[i])), why);
    }
    return true;
}

static bool check_account(const struct yaml_node *node, const struct family_account *account, struct err *err)
{
    return check(node, "comment", account->comment, why_not_comment, err) &&
           check(node, "home", account->home, why_not_home, err) &&
           check(node, "group", account->group, why_not_group, err);
}

static const char *why_not_path_glob(const char *glob)
{
    const char *why = rule_path(glob);
    return why ? why : rule_glob(glob);
}

static bool check_family(const struct family_form *form, struct err *err)
{
    const struct family *family = &form->family;
    const struct yaml_node *root = form->skeleton.root;
    return check(form->identity, "package", family->identity_package, manifest_why_not_package, err) &&
           check(form->identity, "edition", family->identity_edition, why_not_suffix, err) &&
           check_list(form->identity, "files", &family->identity_files, rule_path, err) &&
           check(root, "layout", family->layout, manifest_why_not_package, err) &&
           check_account(form->root, &family->root, err) && check_account(form->nobody, &family->nobody, err) &&
           check_list(root, "whole-system", &family->whole_system, manifest_why_not_package, err) &&
           check_list(root, "documentation", &family->documentation, rule_path, err) &&
           check(form->static_shell, "program", family->static_shell.program, why_not_path_glob, err) &&
           check_list(form->static_shell, "packages", &family->static_shell.packages, manifest_why_not_package, err) &&
           check_list(root, "dispensable", &family->dispensable, why_not_path_glob, err) &&
           check_list(root, "host", &family->for_host, rule_path, err);
}

static bool read_accounts(struct arena *arena, const struct yaml_node *node, struct family *family, struct err *err)
{
    if (node->kind != YAML_SEQUENCE)
        return yaml_fail(node, err, "'accounts' wants a list, not %s", yaml_kind_name(node->kind));
    for (size_t i = 0; i < node->count; i++) {
        struct family_accounts accounts = {0};
        const struct yaml_node *item = node->items[i];
        if (!yaml_read(arena, item, accounts_fields, ARRAY_COUNT(accounts_fields), &accounts, err) ||
            !check(item, "package", accounts.package, manifest_why_not_package, err) ||
            !check(item, "passwd", accounts.passwd, rule_path, err) ||
            !check(item, "group", accounts.group, rule_path, err))
            return false;
        list_add(arena, &family->accounts, accounts);
    }
    return true;
}

/* A mapping of packages to their programs. */
static bool read_tools(struct arena *arena, const struct yaml_node *node, struct family *family, struct err *err)
{
    if (node && node->kind != YAML_MAPPING)
        return yaml_fail(node, err, "'tools' wants a mapping, not %s", yaml_kind_name(node->kind));
    for (size_t i = 0; node && i < node->count; i++) {
        struct family_tools tools = {.package = node->keys[i]->scalar};
        const struct yaml_field field[] = {
            YAML_ROW(YAML_STRINGS, tools.package, offsetof(struct family_tools, programs), true, ALTERS_ORDER)};
        struct yaml_node pair = *node;
        pair.count = 1;
        pair.keys = &node->keys[i];
        pair.items = &node->items[i];
        const char *why = manifest_why_not_package(tools.package);
        if (why)
            return yaml_fail(node->keys[i], err, "'%s' %s", text_printable(arena, text_of(tools.package)), why);
        if (!yaml_read(arena, &pair, field, ARRAY_COUNT(field), &tools, err))
            return false;
        list_add(arena, &family->tools, tools);
    }
    return true;
}

static bool read_family(struct arena *arena, struct family_form *form, struct err *err)
{
    return yaml_read(arena, form->skeleton.root, root_fields, ARRAY_COUNT(root_fields), form, err) &&
           yaml_read(arena, form->identity, identity_fields, ARRAY_COUNT(identity_fields), form, err) &&
           read_accounts(arena, form->accounts, &form->family, err) &&
           read_tools(arena, form->tools, &form->family, err) &&
           (!form->static_shell ||
            yaml_read(arena, form->static_shell, static_shell_fields, ARRAY_COUNT(static_shell_fields), form, err)) &&
           yaml_read(arena, form->root, superuser_fields, ARRAY_COUNT(superuser_fields), form, err) &&
           yaml_read(arena, form->nobody, nobody_fields, ARRAY_COUNT(nobody_fields), form, err) &&
           manifest_read_parts(arena, &form->skeleton, err) && manifest_check_parts(arena, &form->skeleton, err) &&
           manifest_read_parts(arena, &form->service, err) && manifest_check_parts(arena, &form->service, err) &&
           check_family(form, err);
}

static bool load_family(struct arena *arena, const struct data_file *file, const struct strings *formats,
                        struct family *ret_family, struct err *err)
{
    struct family_form form = {
        .family.name = file->stem, .skeleton = {.root = file->root}, .service = {.root = file->root}};
    if (!read_family(arena, &form, err))
        return false;
    *ret_family = form.family;
    ret_family->skeleton = form.skeleton.manifest.wishes;
    ret_family->for_service = form.service.manifest.wishes;
    return strings_has(formats, form.family.kind) ||
           yaml_fail(yaml_get(file->root, "kind"), err, "'%s' is neither %s",
                     text_printable(arena, text_of(form.family.kind)), strings_join(arena, formats, " nor "));
}

static const struct family *find(const struct families *families, const char *kind)
{
    for (size_t i = 0; i < families->count; i++) {
        if (strcmp(families->items[i].kind, kind) == 0)
            return &families->items[i];
    }
    return NULL;
}

bool families_find(const struct families *families, const char *kind, const struct family **ret_family, struct err *err)
{
    *ret_family = find(families, kind);
    if (!*ret_family)
        err_set(err, ERR_USAGE, "no family (families/NAME.yaml beside the manifests) is of the kind %s", kind);
    return *ret_family != NULL;
}

bool families_load(struct arena *arena, const struct strings *dirs, const struct strings *formats,
                   struct families *ret_families, struct err *err)
{
    struct data_folder files;
    if (!data_folder_load(arena, dirs, "family", &files, err))
        return false;
    struct families families = {.digest = files.digest};
    for (size_t i = 0; i < files.count; i++) {
        struct family family;
        if (!load_family(arena, &files.items[i], formats, &family, err))
            return false;
        const struct family *former = find(&families, family.kind);
        if (former)
            return yaml_fail(yaml_get(files.items[i].root, "kind"), err,
                             "%s is the family of this kind already; a file %s.yaml takes its place", former->name,
                             former->name);
        list_add(arena, &families, family);
    }
    *ret_families = families;
    return true;
}
