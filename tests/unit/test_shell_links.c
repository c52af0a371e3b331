/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of effect/shell_links: a static shell in place of sh and its tools. */
#include "packages.h"

#include "base/auto.h"
#include "effect/shell_links.h"

#define APPLETS "\0[\0[[\0ash\0cat\0nc\0sed\0sh\0\0x"

static struct strings names_in(struct arena *arena, struct text bytes)
{
    struct strings names;
    shell_links_names(arena, bytes, &names);
    return names;
}

static void the_names_that_a_program_has_inside_itself_are_read(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char shell[] = "usage\0[\0[[\0cat\0 no\0" APPLETS, none[] = "[\0[[\0cat\0sed\0\0",
                      open[] = "\0[\0[[\0sh";
    struct strings names = names_in(&arena, (struct text){shell, sizeof shell - 1});
    assert_string_equal(strings_join(&arena, &names, " "), "[ [[ ash cat nc sed sh");
    assert_int_equal(names_in(&arena, (struct text){none, sizeof none - 1}).count, 0);
    assert_int_equal(names_in(&arena, (struct text){open, sizeof open - 1}).count, 0);
    assert_int_equal(names_in(&arena, text_of("")).count, 0);
    static const char hostile[] = "\0[\0[[\0../x\0sh\0\0";
    assert_int_equal(names_in(&arena, (struct text){hostile, sizeof hostile - 1}).count, 0);
}

static void names_without_end_are_read_up_to_a_bound(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    size_t len = 6 + 4 * SHELL_LINKS_MAX;
    char *bytes = arena_alloc(&arena, len + 1);
    memcpy(bytes, "\0[\0[[\0", 6);
    for (size_t i = 6; i < len; i += 4)
        memcpy(bytes + i, "sh1", 4);
    memcpy(bytes + 6, "sh", 3);
    assert_true(names_in(&arena, (struct text){bytes, 9}).count <= SHELL_LINKS_MAX);
    memcpy(bytes + 6, "xsh", 4);
    memcpy(bytes + 10, "sh", 3);
    assert_true(names_in(&arena, (struct text){bytes, len}).count <= SHELL_LINKS_MAX);
}

struct world {
    struct manifest manifest;
    struct wishes wishes;
};

static void add_links(struct fixture *fixture, struct world *world)
{
    struct package *shell = package_add(fixture, "busybox-static"), *tools = package_add(fixture, "coreutils");
    file_add(shell, "/usr/bin/busybox", "")->mode = 0755;
    shell->entries[0].data = APPLETS;
    shell->entries[0].size_bytes = sizeof APPLETS - 1;
    file_add(tools, "/usr/bin/cat", "of coreutils");
    file_add(tools, "/usr/bin/nc", "of somebody");
    file_add(tools, "/usr/bin/sed", "of sed");
    link_add(tools, "/usr/bin/sh", "dash");
    set_build(fixture, false);
    shell_links_add(&fixture->arena, &fixture->set, &world->manifest, &world->wishes);
}

static const char *target_of(const struct fixture *fixture, const char *path)
{
    const struct sourced *file = fileset_find(&fixture->set, path);
    return file && file->entry->kind == ENTRY_SYMLINK ? file->entry->target : NULL;
}

static void tools_and_the_shell_are_links_to_it_but_not_what_the_manifest_names(void **state)
{
    struct fixture *fixture = *state;
    struct world world = {.manifest = {.shell = "busybox"}};
    list_add(&fixture->arena, &world.manifest.binaries, "/usr/bin/sed");
    add_links(fixture, &world);
    assert_string_equal(target_of(fixture, "/usr/bin/sh"), "/usr/bin/busybox");
    assert_string_equal(target_of(fixture, "/usr/bin/cat"), "/usr/bin/busybox");
    assert_string_equal(target_of(fixture, "/usr/bin/ash"), "/usr/bin/busybox"); /* nobody has it */
    assert_null(target_of(fixture, "/usr/bin/nc"));                              /* no tool of every system */
    assert_null(target_of(fixture, "/usr/bin/sed"));
    bool has_cat = false;
    for (size_t i = 0; i < world.wishes.files.count; i++) {
        assert_string_not_equal(world.wishes.files.items[i].path, "/usr/bin/ash");
        assert_string_equal(world.wishes.files.items[i].giver, "the shell busybox, which the manifest wants");
        has_cat = has_cat || strcmp(world.wishes.files.items[i].path, "/usr/bin/cat") == 0;
    }
    assert_true(has_cat);
}

static void what_another_package_calls_so_is_no_shell(void **state)
{
    struct fixture *fixture = *state;
    struct world world = {.manifest = {.shell = "busybox"}};
    struct package *other = package_add(fixture, "mine");
    file_add(other, "/usr/bin/busybox", "")->mode = 0755;
    other->entries[0].data = APPLETS;
    other->entries[0].size_bytes = sizeof APPLETS - 1;
    set_build(fixture, false);
    shell_links_add(&fixture->arena, &fixture->set, &world.manifest, &world.wishes);
    assert_null(fileset_find(&fixture->set, "/usr/bin/sh"));
    assert_int_equal(world.wishes.files.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_names_that_a_program_has_inside_itself_are_read),
        cmocka_unit_test(names_without_end_are_read_up_to_a_bound),
        TEST(tools_and_the_shell_are_links_to_it_but_not_what_the_manifest_names),
        TEST(what_another_package_calls_so_is_no_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
