/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"
#include "formats.h"

#include "base/auto.h"
#include "effect/applied.h"
#include "shipped.h"

static struct recipes load(struct folder *folder)
{
    struct recipes recipes = {0};
    struct err err = {0};
    CHECK_OK(recipes_load(&folder->arena, folder->dir, &both_formats, &recipes, &err), &err);
    return recipes;
}

static void refused(struct folder *folder, const char *text, const char *rest)
{
    struct recipes recipes = {0};
    struct err err = {0};
    const char *path = put(folder, "bad", text);
    if (recipes_load(&folder->arena, folder->dir, &both_formats, &recipes, &err))
        fail_msg("accepted, although \"%s\" was wanted", rest);
    assert_int_equal(err.kind, ERR_USAGE);
    assert_string_equal(err.text, arena_printf(&folder->arena, "%s:%s", path, rest));
    assert_int_equal(recipes.count, 0);
}

static void our_recipes_are_good(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct recipes recipes;
    struct err err = {0};
    CHECK_OK(recipes_load(&arena, SOURCE_DIR "/manifests/recipes", &both_formats, &recipes, &err), &err);
    assert_true(recipes.count >= 20);
}

static void a_folder_that_is_not_there_has_no_recipes(void **state)
{
    struct folder *folder = *state;
    struct recipes recipes = {.count = 7};
    struct err err = {0};
    CHECK_OK(recipes_load(&folder->arena, "/nonexistent/recipes", &both_formats, &recipes, &err), &err);
    assert_int_equal(recipes.count, 0);
}

static void every_key_is_read(void **state)
{
    struct folder *folder = *state;
    put(folder, "served",
        "for: [served-bin, served]\nwhen: deb\ndescription: x\nfiles: [{path: /a/*, package: extra}]\n"
        "install: [tool]\ndirectories: [{path: /run/served, owner: s, group: s}]\ncreate: [/etc/empty]\n"
        "symlinks: [{path: /l, target: a}]\nusers: [{name: s, uid: 7}]\ngroups: [{name: g, gid: 8}]\n"
        "env: {A: b}\ngenerate: [ca-certificates]\ncovers: [adduser, ucf]\n");
    struct recipes recipes = load(folder);
    assert_int_equal(recipes.count, 1);
    const struct recipe *recipe = &recipes.items[0];
    assert_string_equal(recipe->name, "served");
    assert_true(recipe_is_for(recipe, "served", "deb") && recipe_is_for(recipe, "served-bin", "deb"));
    assert_false(recipe_is_for(recipe, "served", "rpm") || recipe_is_for(recipe, "tool", "deb"));
    assert_string_equal(recipe->wishes.files.items[0].path, "/a/*");
    assert_string_equal(recipe->wishes.files.items[0].giver, "the recipe served");
    assert_string_equal(recipe->wishes.packages.items[0].name, "tool");
    assert_int_equal(recipe->wishes.made.count, 3);
    assert_string_equal(recipe->wishes.made.items[0].giver, "the recipe served");
    assert_int_equal(recipe->wishes.groups.count, 2); /* the user's own */
    assert_string_equal(recipe->wishes.env.items[0].value, "b");
    assert_true(recipe->makes_certificates);
    assert_true(recipe->covers[EFFECT_USER] && recipe->covers[EFFECT_UCF] && !recipe->covers[EFFECT_SETCAP]);
}

static void a_recipe_is_for_the_package_of_its_name_in_both_kinds(void **state)
{
    struct folder *folder = *state;
    put(folder, "alone", "covers: []\n");
    struct recipes recipes = load(folder);
    assert_true(recipe_is_for(&recipes.items[0], "alone", "deb") && recipe_is_for(&recipes.items[0], "alone", "rpm"));
}

static void the_readmes_example_is_good(void **state)
{
    struct folder *folder = *state;
    struct strings texts = examples(folder, "manifests/README.md", "recipe");
    assert_int_equal(texts.count, 1);
    put(folder, "example", texts.items[0]);
    assert_int_equal(load(folder).count, 1);
}

static void the_digest_tells_any_change(void **state)
{
    struct folder *folder = *state;
    put(folder, "one", "covers: [ucf]\n");
    struct digest first = load(folder).digest;
    put(folder, "one", "covers: [setcap]\n");
    struct digest second = load(folder).digest;
    assert_false(digest_eq(&first, &second));
    put(folder, "two", "covers: [ucf]\n");
    struct digest third = load(folder).digest;
    assert_false(digest_eq(&second, &third));
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    struct folder *folder = *state;
    refused(folder, "", "1:1: the recipe is empty");
    refused(folder, "user: [x]\n", "1:1: unknown key 'user'; did you mean 'users'?");
    refused(folder, "binaries: [/x]\n",
            "1:1: unknown key 'binaries'; known here: for, when, installed, description, files, install, directories, "
            "create, "
            "symlinks, users, groups, env, generate, covers");
    refused(folder, "for: [a b]\n", "1:7: 'a b' is not a package's name");
    refused(folder, "install: [../x]\n", "1:11: '../x' is not a package's name");
    refused(folder, "when: apk\n", "1:7: 'apk' is neither deb nor rpm");
    refused(folder, "generate: [keys]\n", "1:12: 'keys' is not ca-certificates");
    refused(folder, "covers: [rm]\n",
            "1:10: 'rm' is none of adduser, addgroup, update-alternatives, setcap, dpkg-statoverride, ucf, a2enmod, "
            "ssh-keygen, debconf, mkdir, chown, install, update-ca-certificates, other");
    refused(folder, "directories: [{path: /run/x, owner: x}]\n", "1:37: 'x' is not root, one of 'users', or a number");
    refused(folder, "directories: [/a/../../etc]\n", "1:15: '/a/../../etc' must not have a '..' component");
    refused(folder, "create: [/a]\nsymlinks: [{path: /a, target: b}]\n", "2:19: '/a' is made twice (first in line 1)");
    refused(folder, "users: [{name: x, uid: 0}]\n", "1:24: user 'x': number 0 is root's, and root's alone");
    refused(folder, "env: {\"A=B\": c}\n", "1:14: 'A=B' cannot be a variable's name");
    refused(folder, "files: [\"/[a\"]\n", "1:9: '/[a' has a '[' without its ']'");
    refused(folder, "covers: &x [ucf]\n", "1:9: anchors (&) are not allowed");
}

static struct manifest manifest_of(struct folder *folder, const char *text)
{
    struct manifest manifest = {0};
    struct err err = {0};
    const char *path = arena_printf(&folder->arena, "%s/manifest.yml", folder->dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    CHECK_OK(load_manifest(&folder->arena, path, &manifest, &err), &err);
    (void)unlink(path);
    return manifest;
}

/* The manifest's wishes with those of the recipe, as an order merges them. */
static struct wishes merge(struct folder *folder, const struct manifest *manifest, const struct recipes *recipes)
{
    struct applied applied = {0};
    list_add(&folder->arena, &applied, &recipes->items[0]);
    return applied_wishes(&folder->arena, manifest, &applied);
}

static void the_manifest_wins(void **state)
{
    struct folder *folder = *state;
    put(folder, "s",
        "directories: [{path: /run/s, mode: '0700'}, /var/lib/s]\ncreate: [{path: /etc/s, content: theirs}, /etc/f]\n"
        "users: [{name: s, uid: 7}, {name: t, uid: 8}]\nenv: {A: theirs, B: theirs}\n"
        "install: [bad, good]\nfiles: [/f, /g]\n");
    struct recipes recipes = load(folder);
    struct manifest manifest = manifest_of(
        folder, "binaries: [/x]\nfiles: [{path: /f, optional: true}, /etc/f]\ndirectories: [/run/s]\n"
                "create: [{path: /etc/s, content: ours}]\nusers: [{name: s, uid: 8}]\nconfig: {env: {A: ours}}\n"
                "packages: {never: [bad]}\n");
    struct wishes merged = merge(folder, &manifest, &recipes);
    assert_int_equal(wishes_made(&merged, "/run/s")->mode, 0755);
    assert_non_null(wishes_made(&merged, "/var/lib/s"));
    assert_string_equal(wishes_made(&merged, "/etc/s")->content, "ours");
    assert_null(wishes_made(&merged, "/etc/f")); /* the manifest wants the package's */
    assert_int_equal(merged.users.count, 2);
    assert_int_equal(merged.users.items[0].uid, 8);
    assert_string_equal(merged.users.items[1].name, "t");
    assert_int_equal(merged.users.items[1].uid, 100); /* 8 is taken */
    assert_int_equal(merged.groups.items[1].gid, 100);
    assert_int_equal(merged.env.count, 2);
    assert_string_equal(merged.env.items[0].value, "ours");
    assert_int_equal(merged.files.count, 3);
    assert_true(merged.files.items[0].is_optional);
    assert_int_equal(merged.packages.count, 1);
    assert_string_equal(merged.packages.items[0].name, "good");
}

static void every_item_of_a_recipe_says_whose_it_is(void **state)
{
    struct folder *folder = *state;
    put(folder, "s",
        "directories: [/d]\nusers: [{name: s, uid: 7}]\nfiles: [/f]\nenv: {A: b}\ninstall: [p]\n"
        "groups: [{name: g, gid: 9}]\n");
    struct recipes recipes = load(folder);
    struct manifest manifest = manifest_of(folder, "binaries: [/x]\ndirectories: [/c]\nusers: [{name: t, uid: 1}]\n");
    struct wishes merged = merge(folder, &manifest, &recipes);
    assert_null(merged.made.items[0].giver); /* the manifest's */
    assert_null(merged.users.items[0].giver);
    assert_string_equal(merged.made.items[1].giver, "the recipe s");
    assert_string_equal(merged.users.items[1].giver, "the recipe s");
    assert_string_equal(merged.groups.items[1].giver, "the recipe s");
    assert_string_equal(merged.files.items[0].giver, "the recipe s");
    assert_string_equal(merged.env.items[0].giver, "the recipe s");
    assert_string_equal(merged.packages.items[0].giver, "the recipe s");
    assert_int_equal(manifest.wishes.made.count, 1); /* the request is as it was loaded */
    assert_int_equal(manifest.wishes.users.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_recipes_are_good),
        IN_FOLDER(a_folder_that_is_not_there_has_no_recipes),
        IN_FOLDER(every_key_is_read),
        IN_FOLDER(a_recipe_is_for_the_package_of_its_name_in_both_kinds),
        IN_FOLDER(the_readmes_example_is_good),
        IN_FOLDER(the_digest_tells_any_change),
        IN_FOLDER(what_is_wrong_is_told_with_its_place),
        IN_FOLDER(the_manifest_wins),
        IN_FOLDER(every_item_of_a_recipe_says_whose_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
