/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "formats/formats.h"
#include "plan/data_folders.h"

static const struct digest this_program = {{1}}, another_program = {{2}};

/* The recipes are the test's own, all other folders the shipped ones. */
static struct data_places places_of(struct folder *folder)
{
    struct data_places places = {.recipes = folder->dir, .formats = formats_names(&folder->arena)};
    list_add(&folder->arena, &places.families, SOURCE_DIR "/manifests/families");
    list_add(&folder->arena, &places.foregrounds, SOURCE_DIR "/manifests/foreground");
    list_add(&folder->arena, &places.interpreters, SOURCE_DIR "/manifests/interpreters");
    return places;
}

static bool is_parsed_at_once(const struct data_places *places, const struct digest *program, struct hashed *hashed)
{
    AUTO(data_folders_close) struct data_folders folders = {0};
    struct err err = {0};
    CHECK_OK(data_folders_open(places, program, hashed, &folders, &err), &err);
    bool is_at_once = folders.is_loaded;
    struct digest recipes = folders.recipes.digest;
    assert_int_equal(folders.families.count > 0, is_at_once);
    CHECK_OK(data_folders_load(&folders, &err), &err);
    CHECK_OK(data_folders_load(&folders, &err), &err);
    assert_true(folders.families.count && folders.foregrounds.count && folders.interpreters.count);
    assert_int_equal(folders.recipes.count, 1);
    assert_true(digest_eq(&folders.recipes.digest, &recipes));
    return is_at_once;
}

static void what_this_program_parsed_is_parsed_when_it_is_asked_for_and_all_else_at_once(void **state)
{
    struct folder *folder = *state;
    struct data_places places = places_of(folder);
    struct hashed *hashed = hashed_open(NULL, false);
    (void)put(folder, "dhcp", "install: tool\n");
    assert_true(is_parsed_at_once(&places, &this_program, hashed));
    assert_false(is_parsed_at_once(&places, &this_program, hashed));
    assert_true(is_parsed_at_once(&places, &another_program, hashed));
    assert_true(is_parsed_at_once(&places, &this_program, NULL));
    (void)put(folder, "dhcp", "install: took\n");
    assert_true(is_parsed_at_once(&places, &this_program, hashed));
    (void)put(folder, "dhcp", "install: tool\n");
    assert_false(is_parsed_at_once(&places, &this_program, hashed));
    list_add(&folder->arena, &places.interpreters, folder->dir); /* a recipe is no interpreter */
    struct data_folders folders;
    struct err err = {0};
    assert_false(data_folders_open(&places, &this_program, hashed, &folders, &err));
    CHECK_ERR(&err, ERR_USAGE, "dhcp.yaml:1:1: ");
    hashed_close(hashed);
}

static void what_is_wrong_in_a_file_is_told_each_time(void **state)
{
    struct folder *folder = *state;
    struct data_places places = places_of(folder);
    struct hashed *hashed = hashed_open(NULL, false);
    (void)put(folder, "dhcp", "install: tool\n");
    assert_true(is_parsed_at_once(&places, &this_program, hashed));
    (void)put(folder, "dhcp", "install: [tool\n");
    for (int i = 0; i < 3; i++) {
        struct data_folders folders;
        struct err err = {0};
        assert_false(data_folders_open(&places, &this_program, hashed, &folders, &err));
        CHECK_ERR(&err, ERR_USAGE, "dhcp.yaml:2:1: ");
    }
    (void)put(folder, "dhcp", "");
    struct data_folders folders;
    struct err err = {0};
    assert_false(data_folders_open(&places, &this_program, hashed, &folders, &err));
    CHECK_ERR(&err, ERR_USAGE, "the recipe is empty");
    hashed_close(hashed);
}

static void a_file_that_changes_before_it_is_parsed_is_not_taken_for_the_one_that_was_there(void **state)
{
    struct folder *folder = *state;
    struct data_places places = places_of(folder);
    struct hashed *hashed = hashed_open(NULL, false);
    AUTO(data_folders_close) struct data_folders folders = {0};
    struct err err = {0};
    (void)put(folder, "dhcp", "install: tool\n");
    assert_true(is_parsed_at_once(&places, &this_program, hashed));
    CHECK_OK(data_folders_open(&places, &this_program, hashed, &folders, &err), &err);
    (void)put(folder, "dhcp", "install: took\n");
    assert_false(data_folders_load(&folders, &err));
    CHECK_ERR(&err, ERR_LOCAL, "were changed while this run went on");
    assert_int_equal(folders.recipes.count, 0);
    hashed_close(hashed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_this_program_parsed_is_parsed_when_it_is_asked_for_and_all_else_at_once),
        IN_FOLDER(what_is_wrong_in_a_file_is_told_each_time),
        IN_FOLDER(a_file_that_changes_before_it_is_parsed_is_not_taken_for_the_one_that_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
