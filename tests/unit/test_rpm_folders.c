/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of folders in libsolv's tree. */
#include "check.h"

#include "base/list.h"
#include "rpmmd/rpm_folders.h"

#include <solv/dirpool.h>
#include <solv/pool.h>
#include <solv/repo.h>

struct fixture {
    struct arena arena;
    Pool *pool;
    struct rpm_folders folders;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->pool = pool_create();
    fixture->folders.arena = &fixture->arena;
    fixture->folders.data = repo_add_repodata(repo_create(fixture->pool, "kit"), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    pool_free(fixture->pool);
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

static void folders_are_those_that_libsolv_finds(void **state)
{
    struct fixture *fixture = *state;
    static const char *const paths[] = {"/", "/usr", "/usr/share/doc", "/usr", "//etc", "/usr//share", "/a/b/c/d/e"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        Id folder = rpm_folders_add(&fixture->folders, paths[i]);
        assert_true(folder > 0);
        assert_int_equal(repodata_str2dir(fixture->folders.data, paths[i], 0), folder);
    }
}

static void the_tree_is_the_one_that_libsolv_makes(void **state)
{
    struct fixture *fixture = *state;
    Repodata *own = fixture->folders.data, *other = repo_add_repodata(repo_create(fixture->pool, "other"), 0);
    unsigned dice = 1;
    char path[64];
    for (unsigned i = 0; i < 3000; i++) { /* blocks of siblings that others interrupt, and that go on later */
        dice = dice * 1103515245 + 12345;
        unsigned number = dice >> 8;
        (void)snprintf(path, sizeof path, number % 7 ? "/%u/%u" : "/%u/%u/%u", number % 3, number / 3 % 400,
                       number % 11);
        assert_int_equal(rpm_folders_add(&fixture->folders, path), repodata_str2dir(other, path, 1));
    }
    const Dirpool *left = &own->dirpool, *right = &other->dirpool;
    size_t bytes = (size_t)right->ndirs * sizeof *right->dirs;
    assert_int_equal(left->ndirs, right->ndirs);
    assert_memory_equal(left->dirs, right->dirs, bytes);
    assert_memory_equal(left->dirtraverse, right->dirtraverse, bytes);
}

static void folders_beside_each_other_have_a_bound_and_below_each_other_none(void **state)
{
    struct fixture *fixture = *state;
    char path[4096];
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(path, sizeof path, "/u/%u/a/b/c", i);
        assert_true(rpm_folders_add(&fixture->folders, path) > 0);
    }
    assert_in_range(fixture->folders.steps, 1999000, 2100000); /* the sum of the numbers up to 1,999, and little more */
    fixture->folders.steps = RPM_FOLDERS_MAX_STEPS - 1000;
    assert_int_equal(rpm_folders_add(&fixture->folders, "/u/new"), 0);
    fixture->folders.steps = RPM_FOLDERS_MAX_STEPS;
    assert_true(rpm_folders_add(&fixture->folders, "/u/1999/a/b/c") > 0); /* it is there: no step */
    memset(path, 'x', sizeof path - 1);
    for (unsigned i = 0; i < sizeof path - 1; i += 2)
        path[i] = '/';
    path[sizeof path - 1] = '\0';
    fixture->folders.steps = RPM_FOLDERS_MAX_STEPS - 5000;
    assert_true(rpm_folders_add(&fixture->folders, path) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_are_those_that_libsolv_finds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_tree_is_the_one_that_libsolv_makes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_beside_each_other_have_a_bound_and_below_each_other_none, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
