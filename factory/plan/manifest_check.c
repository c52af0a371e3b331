/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"
#include "plan/layer_plan.h"
#include "plan/manifest_parts.h"
#include "plan/packing.h"
#include "plan/rules.h"
#include "plan/services.h"
#include "plan/volumes.h"

/* Fails with "'value' <why>" at the node unless why is NULL. */
static bool want_rule(struct arena *arena, const struct yaml_node *node, const char *value, const char *why,
                      struct err *err)
{
    if (!why)
        return true;
    return yaml_fail(node, err, "'%s' %s", text_printable(arena, text_of(value)), why);
}

/* The node of a mapping's key, or the mapping or scalar itself: never NULL. */
static const struct yaml_node *place_of(const struct yaml_node *node, const char *key)
{
    const struct yaml_node *found = yaml_get(node, key);
    return found ? found : node;
}

/* Checks each string of a list that stands under `key` in `parent`, and that none comes twice. */
static bool check_each(struct arena *arena, const struct yaml_node *parent, const char *key,
                       const struct strings *strings, const char *(*why_not)(const char *), struct err *err)
{
    const struct yaml_node *list = yaml_get(parent, key);
    struct map seen = {.arena = arena};
    for (size_t i = 0; list && i < strings->count; i++) {
        const struct yaml_node *node = yaml_item(list, i);
        if (!want_rule(arena, node, strings->items[i], why_not(strings->items[i]), err))
            return false;
        if (!map_add(&seen, text_of(strings->items[i]), (void *)node))
            return want_rule(arena, node, strings->items[i], "comes twice", err);
    }
    return true;
}

static const char *why_not_binary(const char *path)
{
    if (*path && !strchr(path, '/'))
        return "must be an absolute path, such as /usr/sbin/NAME; `imgfactory find NAME` tells it";
    const char *why = rule_path(path);
    return why || !manifest_is_glob(path) ? why : rule_glob(path);
}

const char *manifest_why_not_package(const char *name)
{
    return rule_is_package_name(name) ? NULL : "is not a package's name";
}

static const char *why_not_install(const char *word)
{
    return rule_is_package_wish(word) ? NULL : "is not a package's name";
}

static const char *why_not_arch(const char *name)
{
    return rule_is_arch_name(name) ? NULL : "cannot be an architecture's name";
}

static const char *why_not_hwcap(const char *name)
{
    return rule_is_arch_name(name) ? NULL : "is no name of a glibc-hwcaps directory, such as x86-64-v3";
}

/* What a registry or a layout says of it is for those who read them. */
static bool check_base(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const struct manifest *manifest = &form->manifest;
    const struct yaml_node *place = place_of(form->root, "base");
    const char *image = manifest_base_image(manifest);
    if (!manifest->base)
        return true;
    if (image && !rule_is_image_name(image))
        return want_rule(arena, place, manifest->base, "wants an image's name behind manifest:", err);
    if (!*manifest->base || !rule_is_one_line(manifest->base, false))
        return yaml_fail(place, err, "'base' must be a reference, the path of a layout, or manifest:NAME");
    return true;
}

static bool check_content(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const struct manifest *manifest = &form->manifest;
    if (!rule_is_image_name(manifest->name))
        return want_rule(arena, place_of(form->root, "name"), manifest->name,
                         "cannot be an image's name: [a-z0-9]+([._-][a-z0-9]+)*", err);
    enum packing packing;
    size_t layers;
    if (manifest->compression && !packing_parse(manifest->compression, &packing))
        return yaml_fail(yaml_get(form->root, "compression"), err, "'compression' must be " PACKING_WORDS);
    if (manifest->layers && !layers_parse(manifest->layers, &layers))
        return yaml_fail(yaml_get(form->root, "layers"), err, "'layers' must be " LAYERS_WORDS);
    if (manifest->description && !rule_is_one_line(manifest->description, false))
        return yaml_fail(yaml_get(form->root, "description"), err, "'description' must be one line");
    if (!check_base(arena, form, err))
        return false;
    if (!manifest->base && !manifest->binaries.count && !manifest->wishes.files.count && !form->install.count &&
        !form->services)
        return yaml_fail(form->root, err, "nothing to put in: give 'binaries', 'files' or 'packages: install'");
    if (!manifest->architectures.count)
        return yaml_fail(yaml_get(form->root, "architectures"), err, "'architectures' must name at least one");
    if (manifest->source && manifest->source->kind == YAML_SEQUENCE)
        return yaml_fail(manifest->source, err, "'source' wants a file's path or a mapping, not a list");
    return check_each(arena, form->root, "binaries", &manifest->binaries, why_not_binary, err) &&
           check_each(arena, form->root, "hwcaps", &manifest->hwcaps, why_not_hwcap, err) &&
           check_each(arena, form->root, "architectures", &manifest->architectures, why_not_arch, err);
}

static bool check_packages(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    const struct manifest *manifest = &form->manifest;
    const struct yaml_node *packages = form->packages;
    if (!packages)
        return true;
    if (!check_each(arena, packages, "install", &form->install, why_not_install, err) ||
        !check_each(arena, packages, "first", &manifest->packages_first, manifest_why_not_package, err) ||
        !check_each(arena, packages, "never", &manifest->packages_never, manifest_why_not_package, err))
        return false;
    if (manifest->is_complete && !form->install.count)
        return yaml_fail(yaml_get(packages, "complete"), err, "'complete' wants packages under 'install'");
    if (form->optional && strcmp(form->optional, "keep") != 0 && strcmp(form->optional, "drop") != 0)
        return want_rule(arena, yaml_get(packages, "optional"), form->optional, "is neither keep nor drop", err);
    struct map never = {.arena = arena};
    for (size_t i = 0; i < manifest->packages_never.count; i++)
        map_set(&never, text_of(manifest->packages_never.items[i]), (void *)yaml_get(packages, "never"));
    const struct strings *others[] = {&form->install, &manifest->packages_first};
    for (size_t k = 0; k < ARRAY_COUNT(others); k++) {
        for (size_t i = 0; i < others[k]->count; i++) {
            if (map_get(&never, text_of(others[k]->items[i])))
                return want_rule(arena, yaml_get(packages, "never"), others[k]->items[i],
                                 k ? "stands under 'first' and 'never'" : "stands under 'install' and 'never'", err);
        }
    }
    return true;
}

static bool check_files(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < form->manifest.wishes.files.count; i++) {
        const struct wish_file *file = &form->manifest.wishes.files.items[i];
        const struct yaml_node *node = form->files->items[i];
        const struct yaml_node *place = place_of(node, "path");
        if (!want_rule(arena, place, file->path, rule_path(file->path), err) ||
            !want_rule(arena, place, file->path, rule_glob(file->path), err) ||
            !check_each(arena, node, "package", &file->packages, manifest_why_not_package, err))
            return false;
        if (!map_add(&seen, text_of(file->path), (void *)node) && !form->is_repeat_fine)
            return want_rule(arena, place, file->path, "comes twice under 'files'", err);
    }
    return true;
}

static bool check_made(struct arena *arena, const struct manifest_form *form, struct err *err)
{
    struct map seen = {.arena = arena};
    for (size_t i = 0; i < form->manifest.wishes.made.count; i++) {
        const struct wish_made *made = &form->manifest.wishes.made.items[i];
        const struct yaml_node *place = place_of(made->node, "path");
        if (!want_rule(arena, place, made->path, rule_path(made->path), err))
            return false;
        if (!map_add(&seen, text_of(made->path), (void *)made->node)) {
            const struct yaml_node *first = map_get(&seen, text_of(made->path));
            return yaml_fail(place, err, "'%s' is made twice (first in line %zu)", made->path, first->line);
        }
        if (!manifest_knows_user(&form->manifest, made->owner))
            return want_rule(arena, yaml_get(made->node, "owner"), made->owner,
                             "is not root, one of 'users', or a number", err);
        if (!manifest_knows_group(&form->manifest, made->group))
            return want_rule(arena, yaml_get(made->node, "group"), made->group,
                             "is not root, one of 'groups', or a number", err);
        if (made->target && (!made->target[0] || !rule_is_one_line(made->target, false)))
            return yaml_fail(yaml_get(made->node, "target"), err, "the target of '%s' must be a path", made->path);
    }
    return true;
}

/* Names and numbers of users, or of groups. */
struct identity {
    const char *name, *kind, *number_key;
    uint64_t number;
    const struct yaml_node *node;
};

/* Checks one, and that neither its name nor its number was taken. root is there already, with number 0. */
static bool check_identity(struct arena *arena, const struct identity *identity, struct map *names, struct map *numbers,
                           struct err *err)
{
    const struct yaml_node *place = place_of(identity->node, "name");
    if (!rule_is_user_name(identity->name))
        return want_rule(arena, place, identity->name, "is not a name: [A-Za-z_][A-Za-z0-9_.-]*, at most 32", err);
    const struct yaml_node *number_place = place_of(identity->node, identity->number_key);
    if (identity->number > RULE_ID_MAX)
        return yaml_fail(number_place, err, "%s '%s': %s must be at most %u", identity->kind, identity->name,
                         identity->number_key, RULE_ID_MAX);
    if ((strcmp(identity->name, "root") == 0) != (identity->number == 0))
        return yaml_fail(number_place, err, "%s '%s': number 0 is root's, and root's alone", identity->kind,
                         identity->name);
    if (!map_add(names, text_of(identity->name), (void *)identity->name))
        return yaml_fail(place, err, "%s '%s' comes twice", identity->kind, identity->name);
    const char *number = arena_printf(arena, "%llu", (unsigned long long)identity->number);
    if (!map_add(numbers, text_of(number), (void *)identity->name))
        return yaml_fail(number_place, err, "%s '%s' has the %s of '%s' (%s)", identity->kind, identity->name,
                         identity->number_key, (const char *)map_get(numbers, text_of(number)), number);
    return true;
}

static bool check_group_names(struct arena *arena, const struct manifest_form *form, size_t index, struct err *err)
{
    const struct wish_user *user = &form->manifest.wishes.users.items[index];
    const struct yaml_node *node = form->users->items[index], *list = yaml_get(node, "groups");
    if (!manifest_knows_group(&form->manifest, user->group))
        return want_rule(arena, place_of(node, "group"), user->group, "is not root, one of 'groups', or a number", err);
    for (size_t i = 0; i < user->groups.count; i++) {
        const char *name = user->groups.items[i];
        uint32_t id;
        if (rule_parse_id(name, &id) || !manifest_knows_group(&form->manifest, name))
            return want_rule(arena, yaml_item(list, i), name, "is not root or one of 'groups'", err);
    }
    return true;
}

static bool check_user_fields(const struct wish_user *user, const struct yaml_node *node, struct err *err)
{
    if (rule_path_or_root(user->home) || !rule_is_one_line(user->home, true))
        return yaml_fail(place_of(node, "home"), err, "home of '%s' must be an absolute path without ':'", user->name);
    if (rule_path(user->shell) || !rule_is_one_line(user->shell, true))
        return yaml_fail(place_of(node, "shell"), err, "shell of '%s' must be an absolute path without ':'",
                         user->name);
    if (!rule_is_one_line(user->comment, true))
        return yaml_fail(place_of(node, "comment"), err, "comment of '%s' must be one line without ':'", user->name);
    return true;
}

/* Checks the groups as written, then the users; a user without a group brings one of its own name and number. */
static bool check_users(struct arena *arena, struct manifest_form *form, struct err *err)
{
    struct manifest *manifest = &form->manifest;
    struct map user_names = {.arena = arena}, uids = {.arena = arena};
    struct map group_names = {.arena = arena}, gids = {.arena = arena};
    for (size_t i = 0; i < manifest->wishes.groups.count; i++) {
        const struct wish_group *group = &manifest->wishes.groups.items[i];
        struct identity identity = {group->name, "group", "gid", group->gid, form->groups->items[i]};
        if (!check_identity(arena, &identity, &group_names, &gids, err))
            return false;
    }
    for (size_t i = 0; i < manifest->wishes.users.count; i++) {
        struct wish_user *user = &manifest->wishes.users.items[i];
        const struct yaml_node *node = form->users->items[i];
        struct identity identity = {user->name, "user", "uid", user->uid, node};
        if (!check_identity(arena, &identity, &user_names, &uids, err) || !check_user_fields(user, node, err))
            return false;
        if (user->group)
            continue;
        user->group = user->name;
        if (strcmp(user->name, "root") == 0 || map_get(&group_names, text_of(user->name)))
            continue;
        identity.kind = "the default group";
        if (!check_identity(arena, &identity, &group_names, &gids, err))
            return false;
        list_add(arena, &manifest->wishes.groups, (struct wish_group){.name = user->name, .gid = user->uid});
    }
    for (size_t i = 0; i < manifest->wishes.users.count; i++) {
        if (!check_group_names(arena, form, i, err))
            return false;
    }
    return true;
}

/* Whether the weaker libraries of dlopen notes are shipped. */
static bool check_dlopen(struct arena *arena, struct manifest_form *form, struct err *err)
{
    static const char *const names[] = {"none", "required", "recommended", "suggested"};
    form->manifest.dlopen = DLOPEN_RECOMMENDED;
    for (size_t i = 0; form->dlopen && i < ARRAY_COUNT(names); i++) {
        if (strcmp(form->dlopen, names[i]) == 0) {
            form->manifest.dlopen = (enum dlopen_policy)i;
            return true;
        }
    }
    return !form->dlopen || want_rule(arena, yaml_get(form->root, "dlopen"), form->dlopen,
                                      "is not one of none, required, recommended, suggested", err);
}

bool manifest_check_parts(struct arena *arena, struct manifest_form *form, struct err *err)
{
    return check_files(arena, form, err) && check_users(arena, form, err) && check_made(arena, form, err);
}

/* How it is run. */
static bool check_run(struct arena *arena, struct manifest_form *form, struct err *err)
{
    struct contract *contract = form->run ? arena_new(arena, struct contract) : NULL;
    if (form->run && !contract_read(arena, form->run, &form->manifest.wishes, contract, err))
        return false;
    form->manifest.config.contract = form->contract = contract;
    return true;
}

bool manifest_check(struct arena *arena, struct manifest_form *form, struct err *err)
{
    return check_content(arena, form, err) && check_packages(arena, form, err) &&
           manifest_check_parts(arena, form, err) && manifest_check_config(arena, form, err) &&
           check_run(arena, form, err) && check_dlopen(arena, form, err) &&
           manifest_read_covers(arena, form->root, &form->covers, form->manifest.covers, err) &&
           services_read(arena, form, err) && volumes_read(arena, form, err);
}
