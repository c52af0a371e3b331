/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "package/path.h"

static const char *canonical(struct arena *arena, const char *path)
{
    const char *why = NULL;
    return path_canonical(arena, text_of(path), &why);
}

static void check_refused(struct text path, const char *part)
{
    AUTO(arena_done) struct arena arena = {0};
    const char *why = NULL;
    assert_null(path_canonical(&arena, path, &why));
    assert_non_null(why);
    if (!strstr(why, part))
        fail_msg("wanted \"%s\", got \"%s\"", part, why);
}

static void every_place_has_one_spelling(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const pairs[][2] = {
        {"./lib/x", "/usr/lib/x"},
        {"/lib/x", "/usr/lib/x"},
        {"lib/x", "/usr/lib/x"},
        {"/usr/lib/x", "/usr/lib/x"},
        {"./usr//lib/./x/", "/usr/lib/x"},
        {"/bin", "/usr/bin"},
        {"/sbin/init", "/usr/sbin/init"},
        {"/lib32/a", "/usr/lib32/a"},
        {"/lib64/a", "/usr/lib64/a"},
        {"/libx32/a", "/usr/libx32/a"},
        {"/libo32/a", "/usr/libo32/a"},
        {"/library/a", "/library/a"},
        {"/opt/lib/a", "/opt/lib/a"},
        {"/etc/...", "/etc/..."},
        {"/", "/"},
        {".", "/"},
        {"./", "/"},
        {"/etc/F\xc5\x91tan\xff", "/etc/F\xc5\x91tan\xff"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++)
        assert_string_equal(canonical(&arena, pairs[i][0]), pairs[i][1]);
}

static void paths_that_climb_or_are_empty_are_refused(void **state)
{
    (void)state;
    check_refused(TEXT("../x"), "..");
    check_refused(TEXT("a/../../x"), "..");
    check_refused(TEXT("/.."), "..");
    check_refused(TEXT(""), "empty");
    check_refused(TEXT("a\0b"), "NUL");
}

static void paths_that_are_too_long_are_refused(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char bytes[8192];
    memset(bytes, 'a', sizeof bytes);
    assert_non_null(canonical(&arena, arena_strndup(&arena, bytes, 255)));
    check_refused((struct text){bytes, 256}, "255");
    for (size_t i = 0; i < sizeof bytes; i += 2)
        bytes[i] = '/';
    assert_non_null(canonical(&arena, arena_strndup(&arena, bytes, (size_t)2 * PATH_MAX_DEPTH)));
    check_refused((struct text){bytes, (size_t)2 * PATH_MAX_DEPTH + 2}, "256 components");
    memset(bytes, 'a', sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i += 200)
        bytes[i] = '/';
    assert_int_equal(strlen(canonical(&arena, arena_strndup(&arena, bytes, PATH_MAX_BYTES))), PATH_MAX_BYTES);
    check_refused((struct text){bytes, PATH_MAX_BYTES + 1}, "4095");
}

static void link_targets_are_joined_as_in_a_chroot(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const cases[][3] = {
        {"/a/b", "../c", "/c"},
        {"/a/b", "c", "/a/c"},
        {"/a/b", "/c/d", "/c/d"},
        {"/a", "../../../../etc/pki", "/etc/pki"},
        {"/usr/lib/x", "/lib/y", "/usr/lib/y"},
        {"/usr/lib/x", "../../lib/y", "/usr/lib/y"},
        {"/usr/lib/x", "/lib/../y", "/usr/y"},
        {"/a/b", ".", "/a"},
        {"/a/b", "..", "/"},
        {"/", "usr/bin", "/usr/bin"},
        {"/a/b", "c//./d/", "/a/c/d"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(path_join_target(&arena, cases[i][0], cases[i][1]), cases[i][2]);
    assert_null(path_join_target(&arena, "/a/b", ""));
    char *long_target = arena_alloc(&arena, 5000);
    memset(long_target, 'a', 4999);
    assert_null(path_join_target(&arena, "/a/b", long_target));
}

static void paths_are_split_at_the_last_slash(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_string_equal(path_dirname(&arena, "/a/b/c"), "/a/b");
    assert_string_equal(path_dirname(&arena, "/a"), "/");
    assert_string_equal(path_dirname(&arena, "/"), "/");
    assert_string_equal(path_basename("/a/b/c"), "c");
    assert_string_equal(path_basename("/a"), "a");
}

static void globs_match_what_they_should(void **state)
{
    (void)state;
    static const char *const yes[][2] = {
        {"/a/*", "/a/b"},
        {"/a/*.so*", "/a/libx.so.1"},
        {"/a/**", "/a/b/c/d"},
        {"/a/**/z", "/a/z"},
        {"/a/**/z", "/a/b/z"},
        {"/a/**/z", "/a/b/c/z"},
        {"/**/z", "/z"},
        {"/a**z", "/abc/d/z"},
        {"/a/?", "/a/b"},
        {"/a/[bc]", "/a/c"},
        {"/a/[!bc]", "/a/d"},
        {"/a/[a-c]x", "/a/bx"},
        {"/a/[]]", "/a/]"},
        {"/a/[-x]", "/a/-"},
        {"/a/[x", "/a/[x"},
        {"/a/[*]", "/a/*"},
        {"/a/b", "/a/b"},
        {"/a/*/c", "/a/b/c"},
        {"/*/*/*", "/a/b/c"},
        {"/a/*b*c", "/a/bbbcbc"},
        {"/a/**/b/**/c", "/a/b/c"},
        {"/a/**/b/**/c", "/a/x/b/y/z/c"},
        {"/a/[\x80-\xff]", "/a/\xc5"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(yes); i++) {
        if (!path_matches(yes[i][0], yes[i][1]))
            fail_msg("%s should match %s", yes[i][0], yes[i][1]);
    }
}

static void globs_match_nothing_else(void **state)
{
    (void)state;
    static const char *const no[][2] = {
        {"/a/*", "/a/b/c"},   {"/a/*", "/a"},    {"/a/?", "/a/"},      {"/a/?", "/a/bc"},      {"/a?b", "/a/b"},
        {"/a[!x]b", "/a/b"},  {"/a/**", "/a"},   {"/a/**/z", "/a/bz"}, {"/a/**/z", "/a/z/b"},  {"/a/[a-c]", "/a/d"},
        {"/a/[!bc]", "/a/b"}, {"/a/b", "/a/bc"}, {"/a/bc", "/a/b"},    {"/a/*/c", "/a/b/b/c"}, {"*", "/a"},
        {"/a/[]", "/a/]"},    {"", "/a"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(no); i++) {
        if (path_matches(no[i][0], no[i][1]))
            fail_msg("%s should not match %s", no[i][0], no[i][1]);
    }
    assert_true(path_is_glob("/a/*") && path_is_glob("/a?") && path_is_glob("/[a]"));
    assert_false(path_is_glob("/a/b"));
}

/* With a matcher that goes back, this takes longer than the age of the universe. */
static void a_hostile_glob_ends_soon(void **state)
{
    (void)state;
    char glob[2001], path[4001];
    for (size_t i = 0; i < 2000; i++)
        glob[i] = i % 2 ? 'a' : '*';
    glob[1999] = 'b';
    glob[2000] = '\0';
    memset(path, 'a', 4000);
    path[4000] = '\0';
    assert_false(path_matches(glob, path));
    path[3999] = 'b';
    assert_true(path_matches(glob, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_has_one_spelling),
        cmocka_unit_test(paths_that_climb_or_are_empty_are_refused),
        cmocka_unit_test(paths_that_are_too_long_are_refused),
        cmocka_unit_test(link_targets_are_joined_as_in_a_chroot),
        cmocka_unit_test(paths_are_split_at_the_last_slash),
        cmocka_unit_test(globs_match_what_they_should),
        cmocka_unit_test(globs_match_nothing_else),
        cmocka_unit_test(a_hostile_glob_ends_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
