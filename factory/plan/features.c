/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/features.h"

#include "plan/data_folder.h"
#include "plan/manifest_parts.h"
#include "plan/rules.h"

#define NSSWITCH_PATH "/etc/nsswitch.conf"

/* A feature as it is read. */
struct feature_form {
    struct manifest_form parts;
    const struct yaml_node *services, *automatic;
    const char *description, *plugins, *follows;
};

static const struct yaml_field fields[] = {
    YAML_FIELD(YAML_STRING, feature_form, "description", description, true, ALTERS_ORDER),
    YAML_FIELD(YAML_STRING, feature_form, "plug-ins", plugins, false, ALTERS_ORDER),
    YAML_FIELD(YAML_STRING, feature_form, "follows", follows, false, ALTERS_ORDER),
    YAML_FIELD(YAML_NODE, feature_form, "files", parts.files, false, ALTERS_ORDER),
    YAML_FIELD(YAML_NODE, feature_form, "create", parts.create, false, ALTERS_ORDER),
    YAML_FIELD(YAML_NODE, feature_form, "services", services, false, ALTERS_ORDER),
    YAML_FIELD(YAML_NODE, feature_form, "automatic", automatic, false, ALTERS_ORDER),
};

static const struct yaml_field sign_fields[] = {
    YAML_FIELD(YAML_STRINGS, feature_signs, "needed", needed, false, ALTERS_ORDER),
    YAML_FIELD(YAML_STRINGS, feature_signs, "loaded", loaded, false, ALTERS_ORDER),
    YAML_FIELD(YAML_STRINGS, feature_signs, "imports", imports, false, ALTERS_ORDER),
    YAML_FIELD(YAML_STRINGS, feature_signs, "names", names, false, ALTERS_ORDER),
};

static const struct yaml_field service_fields[] = {
    YAML_FIELD(YAML_STRINGS, feature_service, "name", names, true, ALTERS_ORDER),
    YAML_FIELD(YAML_STRINGS, feature_service, "package", packages, true, ALTERS_ORDER),
};

static bool read_follows(struct arena *arena, const struct feature_form *form, struct feature *feature, struct err *err)
{
    static const char *const words[] = {
        [FEATURE_FOLLOWS_NOTHING] = "", [FEATURE_FOLLOWS_NSSWITCH] = "nsswitch", [FEATURE_FOLLOWS_PAM] = "pam"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (strcmp(form->follows ? form->follows : "", words[i]) == 0) {
            feature->follows = (enum feature_follows)i;
            return true;
        }
    }
    return yaml_fail(yaml_get(form->parts.root, "follows"), err, "'%s' is neither nsswitch nor pam",
                     text_printable(arena, text_of(form->follows)));
}

static bool read_services(struct arena *arena, const struct feature_form *form, struct feature *feature,
                          struct err *err)
{
    const struct yaml_node *node = form->services;
    if (node && (node->kind != YAML_SEQUENCE || feature->follows != FEATURE_FOLLOWS_NSSWITCH))
        return yaml_fail(node, err, "'services' wants a list, beside 'follows: nsswitch'");
    for (size_t i = 0; node && i < node->count; i++) {
        struct feature_service service = {0};
        if (!yaml_read(arena, node->items[i], service_fields, ARRAY_COUNT(service_fields), &service, err))
            return false;
        for (size_t j = 0; j < service.packages.count; j++) {
            const char *why = manifest_why_not_package(service.packages.items[j]);
            if (why)
                return yaml_fail(yaml_item(yaml_get(node->items[i], "package"), j), err, "'%s' %s",
                                 text_printable(arena, text_of(service.packages.items[j])), why);
        }
        list_add(arena, &feature->services, service);
    }
    return true;
}

/* Says in each item which feature it is of, for the report. */
static void give_reasons(struct arena *arena, struct feature *feature)
{
    const char *giver = arena_printf(arena, "the feature %s", feature->name);
    wishes_sign(&feature->wishes, giver);
    for (size_t i = 0; i < feature->wishes.made.count; i++)
        feature->wishes.made.items[i].why = arena_printf(arena, "%s, for want of one in the manifest", giver);
}

static bool load_feature(struct arena *arena, const struct data_file *file, struct feature *ret_feature,
                         struct err *err)
{
    struct feature_form form = {.parts = {.root = file->root, .is_repeat_fine = true}};
    struct feature feature = {.name = file->stem};
    if (!yaml_read(arena, file->root, fields, ARRAY_COUNT(fields), &form, err) ||
        !manifest_read_parts(arena, &form.parts, err) || !manifest_check_parts(arena, &form.parts, err) ||
        !read_follows(arena, &form, &feature, err) || !read_services(arena, &form, &feature, err) ||
        (form.automatic &&
         !yaml_read(arena, form.automatic, sign_fields, ARRAY_COUNT(sign_fields), &feature.signs, err)))
        return false;
    feature.plugins = form.plugins;
    feature.wishes = form.parts.manifest.wishes;
    feature.wishes.follows_pam = feature.follows == FEATURE_FOLLOWS_PAM;
    give_reasons(arena, &feature);
    *ret_feature = feature;
    return true;
}

bool features_load(struct arena *arena, const struct strings *dirs, struct features *ret_features, struct err *err)
{
    struct data_folder files;
    if (!data_folder_load(arena, dirs, "feature", &files, err))
        return false;
    struct features features = {.digest = files.digest};
    for (size_t i = 0; i < files.count; i++) {
        struct feature feature;
        if (!load_feature(arena, &files.items[i], &feature, err))
            return false;
        list_add(arena, &features, feature);
    }
    *ret_features = features;
    return true;
}

/* What is put together: the features' wishes beside the manifest's. */
struct adding {
    struct arena *arena;
    const struct wishes *own;
    struct wishes wishes;
};

/* One service word of nsswitch.conf; "files" and "dns" are in the C library itself (glibc 2.34). */
static void add_service(struct adding *adding, const struct feature *feature, struct text word)
{
    if (!word.len || word.ptr[0] == '[' || text_is(word, "files") || text_is(word, "dns"))
        return;
    const char *name = text_dup(adding->arena, word);
    struct wish_file file = {.path = arena_printf(adding->arena, "/usr/lib*/**/libnss_%s.so.2", name),
                             .giver = arena_printf(adding->arena, "the feature %s", feature->name)};
    for (size_t i = 0; i < feature->services.count; i++) {
        if (strings_has(&feature->services.items[i].names, name))
            file.packages = feature->services.items[i].packages;
    }
    if (strpbrk(name, "/*?[") == NULL)
        list_add(adding->arena, &adding->wishes.files, file);
}

/* The modules that the configuration names, which is there by now. */
static void add_services(struct adding *adding, const struct feature *feature)
{
    const struct wish_made *own = wishes_made(adding->own, NSSWITCH_PATH);
    const struct wish_made *config = own ? own : wishes_made(&adding->wishes, NSSWITCH_PATH);
    struct text rest = text_of(config && config->content ? config->content : ""), line;
    while (text_next(&rest, '\n', &line)) {
        struct text words, word, database;
        (void)text_next(&line, '#', &words);
        if (!text_next(&words, ':', &database) || !words.len)
            continue;
        while (text_next_word(&words, &word))
            add_service(adding, feature, word);
    }
}

static void add_feature(struct adding *adding, const struct feature *feature)
{
    struct wishes given = feature->wishes;
    memset(&given.made, 0, sizeof given.made);
    for (size_t i = 0; i < feature->wishes.made.count; i++) {
        const struct wish_made *made = &feature->wishes.made.items[i];
        if (!wishes_made(adding->own, made->path) && !wishes_made(&adding->wishes, made->path))
            list_add(adding->arena, &given.made, *made);
    }
    adding->wishes = wishes_join(adding->arena, &adding->wishes, &given);
    if (feature->follows == FEATURE_FOLLOWS_NSSWITCH)
        add_services(adding, feature);
}

static const struct feature *find_feature(const struct features *features, const char *name)
{
    for (size_t i = 0; i < features->count; i++) {
        if (strcmp(features->items[i].name, name) == 0)
            return &features->items[i];
    }
    return NULL;
}

static bool fail_unknown(struct arena *arena, const struct features *features, const struct yaml_node *node,
                         const char *name, struct err *err)
{
    struct strings names = {0};
    for (size_t i = 0; i < features->count; i++)
        list_add(arena, &names, features->items[i].name);
    return yaml_fail(node, err, "'%s' is no feature; known: %s; or a glob of plug-ins that begins with '/'",
                     text_printable(arena, text_of(name)), strings_join(arena, &names, ", "));
}

bool features_wishes(struct arena *arena, const struct features *features, const struct yaml_node *node,
                     const struct manifest *manifest, struct wishes *ret_wishes, struct err *err)
{
    struct adding adding = {.arena = arena, .own = &manifest->wishes};
    for (size_t i = 0; i < manifest->features.count; i++) {
        const char *name = manifest->features.items[i];
        const struct feature *feature = find_feature(features, name);
        const char *why = *name == '/' ? rule_path(name) : NULL;
        if (!why && *name == '/')
            why = rule_glob(name);
        if (why)
            return yaml_fail(yaml_item(node, i), err, "'%s' %s", text_printable(arena, text_of(name)), why);
        if (*name == '/')
            list_add(arena, &adding.wishes.files,
                     (struct wish_file){.path = name, .giver = "the features of the manifest"});
        else if (!feature)
            return fail_unknown(arena, features, yaml_item(node, i), name, err);
        else
            add_feature(&adding, feature);
    }
    *ret_wishes = adding.wishes;
    return true;
}

const char *features_of_path(const struct features *features, const char *path)
{
    for (size_t i = 0; i < features->count; i++) {
        const struct feature *feature = &features->items[i];
        if (feature->plugins && strstr(path, feature->plugins))
            return feature->name;
    }
    return NULL;
}
