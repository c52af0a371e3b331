/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/arena.h"
#include "base/auto.h"
#include "plan/wishes.h"

static void add_made(struct arena *arena, struct wishes *wishes, enum wish_made_kind kind, const char *path)
{
    list_add(arena, &wishes->made, (struct wish_made){.kind = kind, .path = path});
}

static void add_user(struct arena *arena, struct wishes *wishes, const char *name, uint64_t number)
{
    list_add(arena, &wishes->users, (struct wish_user){.name = name, .uid = number, .group = name});
    list_add(arena, &wishes->groups, (struct wish_group){.name = name, .gid = number});
}

static void nothing_merged_with_nothing_is_nothing(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct wishes none = {0}, merged = wishes_merge(&arena, &none, &none);
    assert_int_equal(merged.made.count + merged.files.count + merged.users.count + merged.env.count, 0);
    assert_false(merged.follows_pam);
}

static void the_first_wins_every_path_name_and_variable(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct wishes a = {0}, b = {.follows_pam = true};
    add_made(&arena, &a, MADE_SYMLINK, "/etc/a");
    add_made(&arena, &b, MADE_FILE, "/etc/a");
    add_made(&arena, &b, MADE_FILE, "/etc/taken");
    add_made(&arena, &b, MADE_DIRECTORY, "/etc/dir");
    list_add(&arena, &a.files, (struct wish_file){.path = "/etc/taken"});
    list_add(&arena, &a.files, (struct wish_file){.path = "/etc/dir"});
    list_add(&arena, &b.files, (struct wish_file){.path = "/etc/taken", .is_optional = true});
    list_add(&arena, &a.env, (struct wish_variable){"A", "ours", NULL});
    list_add(&arena, &b.env, (struct wish_variable){"A", "theirs", "b"});
    list_add(&arena, &b.env, (struct wish_variable){"B", "theirs", "b"});
    list_add(&arena, &a.packages, (struct wish_package){.name = "p", .giver = NULL});
    list_add(&arena, &b.packages, (struct wish_package){.name = "p", .giver = "b"});
    list_add(&arena, &b.owners, (struct wish_owner){.path = "/etc/a", .owner = "x"});
    list_add(&arena, &b.owners, (struct wish_owner){.path = "/etc/a", .owner = "y", .is_deep = true});
    list_add(&arena, &b.members, (struct wish_member){"u", "g", "b"});
    struct wishes merged = wishes_merge(&arena, &a, &b);
    assert_int_equal(merged.owners.count, 1); /* what is below may be a package's */
    assert_true(merged.owners.items[0].is_deep);
    assert_int_equal(merged.members.count, 1);
    assert_int_equal(merged.made.count, 2); /* a directory may be where a file is taken from */
    assert_int_equal(wishes_made(&merged, "/etc/a")->kind, MADE_SYMLINK);
    assert_null(wishes_made(&merged, "/etc/taken"));
    assert_non_null(wishes_made(&merged, "/etc/dir"));
    assert_int_equal(merged.files.count, 2);
    assert_false(merged.files.items[0].is_optional);
    assert_int_equal(merged.env.count, 2);
    assert_string_equal(merged.env.items[0].value, "ours");
    assert_string_equal(merged.env.items[1].giver, "b");
    assert_int_equal(merged.packages.count, 1);
    assert_null(wishes_package(&merged, "p")->giver);
    assert_null(wishes_package(&merged, "q"));
    assert_true(merged.follows_pam);
}

static void accounts_whose_numbers_are_taken_get_free_ones(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct wishes a = {0}, b = {0};
    add_user(&arena, &a, "x", 7);
    add_user(&arena, &a, "y", 100);
    add_user(&arena, &b, "x", 50); /* is there */
    add_user(&arena, &b, "z", 7);
    add_user(&arena, &b, "w", 7);
    add_user(&arena, &b, "v", 8);
    struct wishes merged = wishes_merge(&arena, &a, &b);
    static const uint64_t numbers[] = {7, 100, 101, 102, 8};
    assert_int_equal(merged.users.count, ARRAY_COUNT(numbers));
    assert_int_equal(merged.groups.count, ARRAY_COUNT(numbers));
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        assert_int_equal(merged.users.items[i].uid, numbers[i]);
        assert_int_equal(merged.groups.items[i].gid, numbers[i]);
    }
    assert_int_equal(b.users.items[1].uid, 7); /* what was merged stays as it was */
}

/* Each number is tried once, not once for each account: that would take minutes. */
static void many_accounts_find_free_numbers_soon(void **state)
{
    (void)state;
    enum { COUNT = 6000 };
    AUTO(arena_done) struct arena arena = {0};
    struct wishes a = {0}, b = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
        add_user(&arena, &a, arena_printf(&arena, "a%llu", (unsigned long long)i), 100 + i);
        add_user(&arena, &b, arena_printf(&arena, "b%llu", (unsigned long long)i), 100 + i);
    }
    struct wishes merged = wishes_merge(&arena, &a, &b);
    assert_int_equal(merged.users.count, 2 * COUNT);
    for (size_t i = 0; i < 2 * COUNT; i++) {
        assert_int_equal(merged.users.items[i].uid, 100 + i);
        assert_int_equal(merged.groups.items[i].gid, 100 + i);
    }
}

static void nothing_is_written_into_the_lists_that_are_merged(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct wishes a = {0}, b = {0};
    add_made(&arena, &a, MADE_FILE, "/a");
    add_made(&arena, &b, MADE_FILE, "/b");
    assert_true(a.made.capacity > a.made.count); /* room that must not be used */
    struct wishes merged = wishes_merge(&arena, &a, &b), joined = wishes_join(&arena, &a, &b);
    assert_int_equal(a.made.count, 1);
    assert_null(a.made.items[1].path);
    assert_int_equal(merged.made.count, 2);
    assert_int_equal(joined.made.count, 2);
    assert_ptr_not_equal(merged.made.items, joined.made.items);
    merged.made.items[0].path = "/c";
    assert_string_equal(a.made.items[0].path, "/a");
}

static void joined_wishes_are_both_whole(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct wishes a = {0}, b = {0};
    list_add(&arena, &a.files, (struct wish_file){.path = "/g/*"});
    list_add(&arena, &b.files, (struct wish_file){.path = "/g/*", .giver = "the feature f"});
    struct wishes joined = wishes_join(&arena, &a, &b);
    assert_int_equal(joined.files.count, 2);
    assert_null(joined.files.items[0].giver);
    assert_string_equal(joined.files.items[1].giver, "the feature f");
}

static void packages_that_are_never_wanted_are_left_out(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings never = {0};
    struct wishes wishes = {0};
    list_add(&arena, &wishes.packages, (struct wish_package){.name = "bad", .giver = NULL});
    list_add(&arena, &wishes.packages, (struct wish_package){.name = "good", .giver = NULL});
    list_add(&arena, &never, "bad");
    struct wishes rest = wishes_without(&arena, &wishes, &never);
    assert_int_equal(rest.packages.count, 1);
    assert_string_equal(rest.packages.items[0].name, "good");
    assert_int_equal(wishes.packages.count, 2);
    assert_string_equal(wishes.packages.items[0].name, "bad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_merged_with_nothing_is_nothing),
        cmocka_unit_test(the_first_wins_every_path_name_and_variable),
        cmocka_unit_test(accounts_whose_numbers_are_taken_get_free_ones),
        cmocka_unit_test(many_accounts_find_free_numbers_soon),
        cmocka_unit_test(nothing_is_written_into_the_lists_that_are_merged),
        cmocka_unit_test(joined_wishes_are_both_whole),
        cmocka_unit_test(packages_that_are_never_wanted_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
