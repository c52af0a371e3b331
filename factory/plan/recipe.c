/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/recipe.h"

#include "plan/data_folder.h"
#include "plan/manifest_parts.h"

/* A recipe as it is read. */
struct recipe_form {
    struct manifest_form parts;
    struct strings packages, generate;
    const char *when;
    bool is_for_installed;
};

#define FIELD(type, key, member) YAML_FIELD(type, recipe_form, key, member, false, ALTERS_ORDER)

static const struct yaml_field fields[] = {
    FIELD(YAML_STRINGS, "for", packages),
    FIELD(YAML_STRING, "when", when),
    FIELD(YAML_BOOL, "installed", is_for_installed),
    FIELD(YAML_STRING, "description", parts.manifest.description),
    FIELD(YAML_NODE, "files", parts.files),
    FIELD(YAML_STRINGS, "install", parts.install),
    FIELD(YAML_NODE, "directories", parts.directories),
    FIELD(YAML_NODE, "create", parts.create),
    FIELD(YAML_NODE, "symlinks", parts.symlinks),
    FIELD(YAML_NODE, "users", parts.users),
    FIELD(YAML_NODE, "groups", parts.groups),
    FIELD(YAML_PAIRS, "env", parts.manifest.config.env),
    FIELD(YAML_STRINGS, "generate", generate),
    FIELD(YAML_STRINGS, "covers", parts.covers),
};

static bool fail_value(struct arena *arena, const struct recipe_form *form, const char *key, size_t index,
                       const char *value, const char *why, struct err *err)
{
    const struct yaml_node *node = yaml_get(form->parts.root, key);
    return yaml_fail(yaml_item(node, index), err, "'%s' %s", text_printable(arena, text_of(value)), why);
}

static bool check_names(struct arena *arena, const struct recipe_form *form, const char *key,
                        const struct strings *names, struct err *err)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *why = manifest_why_not_package(names->items[i]);
        if (why)
            return fail_value(arena, form, key, i, names->items[i], why, err);
    }
    return true;
}

static bool check_when(struct arena *arena, const struct recipe_form *form, const struct strings *formats,
                       struct err *err)
{
    if (!form->when || strings_has(formats, form->when))
        return true;
    return fail_value(arena, form, "when", 0, form->when,
                      arena_printf(arena, "is neither %s", strings_join(arena, formats, " nor ")), err);
}

static bool read_generate(struct arena *arena, const struct recipe_form *form, struct recipe *recipe, struct err *err)
{
    for (size_t i = 0; i < form->generate.count; i++) {
        const char *what = form->generate.items[i];
        if (strcmp(what, "ca-certificates") == 0)
            recipe->makes_certificates = true;
        else
            return fail_value(arena, form, "generate", i, what, "is not ca-certificates", err);
    }
    return true;
}

static bool load_recipe(struct arena *arena, const struct data_file *file, const struct strings *formats,
                        struct recipe *ret_recipe, struct err *err)
{
    struct recipe recipe = {.name = file->stem};
    struct recipe_form form = {.parts = {.root = file->root, .manifest = {.path = file->path}},
                               .is_for_installed = true};
    if (!yaml_read(arena, file->root, fields, ARRAY_COUNT(fields), &form, err) ||
        !manifest_read_parts(arena, &form.parts, err) || !manifest_check_parts(arena, &form.parts, err) ||
        !manifest_check_env(arena, &form.parts.manifest.config.env, err) ||
        !check_names(arena, &form, "for", &form.packages, err) ||
        !check_names(arena, &form, "install", &form.parts.install, err) || !check_when(arena, &form, formats, err) ||
        !manifest_read_covers(arena, form.parts.root, &form.parts.covers, recipe.covers, err) ||
        !read_generate(arena, &form, &recipe, err))
        return false;
    recipe.packages = form.packages;
    recipe.format = form.when;
    recipe.is_not_for_installed = !form.is_for_installed;
    if (!recipe.packages.count)
        list_add(arena, &recipe.packages, recipe.name);
    recipe.wishes = form.parts.manifest.wishes;
    wishes_sign(&recipe.wishes, arena_printf(arena, "the recipe %s", recipe.name));
    *ret_recipe = recipe;
    return true;
}

bool recipes_load(struct arena *arena, const char *dir, const struct strings *formats, struct recipes *ret_recipes,
                  struct err *err)
{
    struct strings dirs = {0};
    struct data_folder files;
    list_add(arena, &dirs, dir);
    if (!data_folder_load(arena, &dirs, "recipe", &files, err))
        return false;
    struct recipes recipes = {.digest = files.digest};
    for (size_t i = 0; i < files.count; i++) {
        struct recipe recipe;
        if (!load_recipe(arena, &files.items[i], formats, &recipe, err))
            return false;
        list_add(arena, &recipes, recipe);
    }
    *ret_recipes = recipes;
    return true;
}

bool recipe_is_for(const struct recipe *recipe, const char *package, const char *format)
{
    return (!recipe->format || strcmp(recipe->format, format) == 0) && strings_has(&recipe->packages, package);
}
