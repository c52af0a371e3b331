/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "base/auto.h"
#include "source/config_files.h"

#include <sys/stat.h>

static void only_files_with_plain_names_of_these_endings_count_sorted(void **state)
{
    static const char *const endings[] = {".yaml", ".list"};
    struct folder *folder = *state;
    AUTO(arena_done) struct arena arena = {0};
    struct strings paths;
    struct err err = {0};
    const char *inner = arena_printf(&arena, "%s/dir.yaml", folder->dir),
               *link = arena_printf(&arena, "%s/link.list", folder->dir),
               *dir_link = arena_printf(&arena, "%s/other.list", folder->dir);
    const char *second = put(folder, "b", "x"), *first = put(folder, "a", "x");
    (void)put(folder, ".hidden", "x");
    (void)put(folder, "two words", "x");
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(symlink(first, link), 0);
    assert_int_equal(symlink(inner, dir_link), 0);
    CHECK_OK(config_list_files(&arena, folder->dir, endings, ARRAY_COUNT(endings), &paths, &err), &err);
    assert_string_equal(strings_join(&arena, &paths, " "), arena_printf(&arena, "%s %s %s", first, second, link));
    CHECK_OK(config_list_files(&arena, "/nowhere", endings, ARRAY_COUNT(endings), &paths, &err), &err);
    assert_int_equal(paths.count, 0);
    (void)unlink(link);
    (void)unlink(dir_link);
    (void)rmdir(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {IN_FOLDER(only_files_with_plain_names_of_these_endings_count_sorted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
