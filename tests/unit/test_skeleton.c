/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of the skeleton: what every image has, and whose entries win over it. */
#include "planting.h"

#define CONF "/usr/lib/tmpfiles.d/p.conf"

static void check_link(const struct tree *tree, const char *path, const char *target)
{
    check_node(tree, path, NODE_SYMLINK, 0777, 0);
    assert_string_equal(node_at(tree, path)->target, target);
}

static void check_directories(const struct tree *tree)
{
    check_node(tree, "/tmp", NODE_DIRECTORY, 01777, 0);
    check_node(tree, "/var/tmp", NODE_DIRECTORY, 01777, 0);
    check_node(tree, "/run", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/run/lock", NODE_DIRECTORY, 01777, 0);
    check_node(tree, "/var/lib", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/var/log", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/var/cache", NODE_DIRECTORY, 0755, 0);
    check_node(tree, "/var/spool", NODE_DIRECTORY, 0755, 0);
}

static void an_image_of_one_static_binary_has_it(void **state)
{
    struct planting planting = plant(*state);
    file_add(package_add(*state, "a"), "/opt/a", "program");
    root_add(&planting, "/opt/a");
    const struct tree *tree = grow(&planting);
    check_directories(tree);
    check_link(tree, "/var/run", "/run");
    check_link(tree, "/var/lock", "/run/lock");
    check_content(tree, "/etc/passwd", ROOT_LINE DEB_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\n" DEB_NOGROUP);
    assert_string_equal(node_at(tree, "/var/spool")->why, "skeleton");
    assert_string_equal(node_at(tree, "/etc/passwd")->why, "skeleton");
    assert_null(node_at(tree, "/tmp")->package);
    assert_int_equal(node_at(tree, "/tmp")->mtime, tree->created_time);
    assert_int_equal(tree->notes.count, 0);
}

static void an_image_of_rpm_packages_has_it_as_fedora_lays_it_out(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    a->format = &format_rpm;
    file_add(a, "/opt/a", "program");
    root_add(&planting, "/opt/a");
    const struct tree *tree = grow(&planting);
    check_directories(tree);
    check_link(tree, "/var/run", "../run");
    check_link(tree, "/var/lock", "../run/lock");
    check_content(tree, "/etc/passwd", ROOT_LINE RPM_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\n" RPM_NOGROUP);
}

static void what_packages_list_below_var_run_and_var_lock_is_where_the_links_lead(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a"), *b = package_add(*state, "b");
    fact_set(*state, a, "md5sums", "0123  var/run/a/deep/f\n4567  var/lock/l\n");
    dir_add(a, "/var/run", 0700);
    dir_add(a, "/var/run/a", 0750)->uid = 7;
    file_add(a, "/var/run/a/deep/f", "f")->mode = 0600;
    file_add(a, "/var/lock/l", "l");
    dir_add(b, "/run/a", 0711);
    root_add(&planting, "/var/run");
    root_add(&planting, "/var/run/a/deep/f");
    root_add(&planting, "/var/lock/l");
    const struct tree *tree = grow(&planting);
    check_link(tree, "/var/run", "/run");
    check_link(tree, "/var/lock", "/run/lock");
    check_directories(tree);
    check_node(tree, "/run/a", NODE_DIRECTORY, 0750, 7); /* as the file's package lists it */
    check_node(tree, "/run/a/deep/f", NODE_FILE, 0600, 0);
    check_content(tree, "/run/lock/l", "l");
    check_content(tree, "/var/lib/dpkg/status.d/a.md5sums", "0123  var/run/a/deep/f\n4567  var/lock/l\n");
}

static void one_place_listed_in_two_ways_is_one_file_or_a_conflict(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a"), *b = package_add(*state, "b");
    dir_add(a, "/var/run/d", 0700);
    dir_add(b, "/run/d", 0711);
    file_add(a, "/var/run/same", "same");
    file_add(b, "/run/same", "same");
    file_add(a, "/var/run/x", "one");
    file_add(b, "/run/x", "other");
    root_add(&planting, "/var/run/d");
    root_add(&planting, "/run/d");
    root_add(&planting, "/var/run/same");
    root_add(&planting, "/run/same");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/run/d", NODE_DIRECTORY, 0711, 0);
    assert_string_equal(node_at(tree, "/run/same")->package->name, "b");
    root_add(&planting, "/var/run/x");
    check_content(grow(&planting), "/run/x", "one");
    root_add(&planting, "/run/x");
    check_error(&planting, ERR_RESOLVE,
                "/var/run/x of package a is /run/x in the image, where package b has another file");
}

static void another_link_or_a_file_of_a_package_stays(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    link_add(a, "/var/run", "/srv/run");
    file_add(a, "/var/lock", "no directory");
    dir_add(a, "/srv/run", 0755);
    root_add(&planting, "/var/run");
    root_add(&planting, "/var/lock");
    const struct tree *tree = grow(&planting);
    check_link(tree, "/var/run", "/srv/run");
    check_content(tree, "/var/lock", "no directory");
    check_directories(tree);
}

static void the_same_link_of_a_package_stays_as_it_is_written(void **state)
{
    struct planting planting = plant(*state);
    link_add(package_add(*state, "filesystem"), "/var/run", "../run");
    root_add(&planting, "/var/run");
    made_add(&planting, MADE_FILE, "/var/run/f");
    const struct tree *tree = grow(&planting);
    check_link(tree, "/var/run", "../run");
    assert_string_equal(node_at(tree, "/var/run")->package->name, "filesystem");
    check_content(tree, "/run/f", "made\n");
}

static void the_manifests_entries_win(void **state)
{
    struct planting planting = plant(*state);
    file_add(package_add(*state, "a"), "/var/run/f", "f");
    root_add(&planting, "/var/run/f");
    made_add(&planting, MADE_DIRECTORY, "/tmp")->mode = 0700;
    made_add(&planting, MADE_DIRECTORY, "/var/run")->mode = 0711;
    made_add(&planting, MADE_FILE, "/var/run/made");
    made_add(&planting, MADE_SYMLINK, "/var/lock")->target = "/srv";
    made_add(&planting, MADE_SYMLINK, "/var/spool")->target = "/srv";
    made_add(&planting, MADE_FILE, "/etc/passwd");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/tmp", NODE_DIRECTORY, 0700, 0);
    check_node(tree, "/var/run", NODE_DIRECTORY, 0711, 0);
    check_content(tree, "/var/run/f", "f");
    check_content(tree, "/var/run/made", "made\n");
    check_link(tree, "/var/lock", "/srv");
    check_link(tree, "/var/spool", "/srv");
    check_content(tree, "/etc/passwd", "made\n");
    check_content(tree, "/etc/group", "root:x:0:\n" DEB_NOGROUP);
    assert_int_equal(tree->notes.count, 0);
}

static void what_the_manifest_makes_below_the_links_is_where_they_lead(void **state)
{
    struct planting planting = plant(*state);
    made_add(&planting, MADE_DIRECTORY, "/var/run/svc")->mode = 0750;
    made_add(&planting, MADE_FILE, "/var/lock/svc");
    made_add(&planting, MADE_FILE, "/tmp/f");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/run/svc", NODE_DIRECTORY, 0750, 0);
    check_content(tree, "/run/lock/svc", "made\n");
    check_link(tree, "/var/run", "/run");
    check_link(tree, "/var/lock", "/run/lock");
    check_directories(tree);
    made_add(&planting, MADE_FILE, "/run/lock/svc");
    check_error(&planting, ERR_USAGE, "/run/lock/svc is created twice (as /var/lock/svc and /run/lock/svc)");
}

static void nothing_of_it_is_put_below_what_is_no_directory(void **state)
{
    static const char *const paths[] = {"/var", "/run", "/etc", "/run/lock"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        assert_int_equal(fixture_stop(state), 0);
        assert_int_equal(fixture_start(state), 0);
        struct planting planting = plant(*state);
        made_add(&planting, MADE_SYMLINK, paths[i])->target = "/srv";
        const struct tree *tree = grow(&planting);
        check_link(tree, paths[i], "/srv");
        check_node(tree, "/tmp", NODE_DIRECTORY, 01777, 0);
        for (size_t j = 0; j < tree->count; j++)
            assert_int_not_equal(strncmp(tree->nodes[j].path, arena_printf(&planting.fixture->arena, "%s/", paths[i]),
                                         strlen(paths[i]) + 1),
                                 0);
    }
}

static void tmpfiles_of_packages_sets_modes_and_goes_through_the_links(void **state)
{
    struct planting planting = plant(*state);
    struct package *p = package_add(*state, "p");
    file_add(p, "/usr/bin/p", "program");
    file_add(p, CONF, "d /var/lock/p 0700\nd /var/lock 0777\nd /var/log 2755 root adm\nD /tmp 0755\ng\n");
    file_add(p, "/usr/lib/sysusers.d/p.conf", "g adm 4\n");
    root_add(&planting, "/usr/bin/p");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/run/lock/p", NODE_DIRECTORY, 0700, 0);
    check_node(tree, "/run/lock", NODE_DIRECTORY, 0777, 0);
    check_link(tree, "/var/lock", "/run/lock");
    check_node(tree, "/var/log", NODE_DIRECTORY, 02755, 0);
    assert_int_equal(node_at(tree, "/var/log")->gid, 4);
    check_node(tree, "/tmp", NODE_DIRECTORY, 0755, 0);
}

static void directories_of_packages_that_are_kept_stay(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    dir_add(a, "/tmp", 0700)->uid = 5;
    dir_add(a, "/var/tmp", 0755);
    file_add(a, "/var/tmp/f", "f");
    root_add(&planting, "/tmp");
    root_add(&planting, "/var/tmp/f");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/tmp", NODE_DIRECTORY, 0700, 5);
    check_node(tree, "/var/tmp", NODE_DIRECTORY, 01777, 0); /* only on the way to a file */
}

static void passwd_of_a_package_stays_unless_accounts_are_added(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/etc/passwd", "root:x:0:0:Super:/root:/bin/bash\nnobody:x:99:99::/:\n");
    root_add(&planting, "/etc/passwd");
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/passwd", "root:x:0:0:Super:/root:/bin/bash\nnobody:x:99:99::/:\n");
    assert_ptr_equal(node_at(tree, "/etc/passwd")->package->name, a->name);
    check_content(tree, "/etc/group", "root:x:0:\n" DEB_NOGROUP);
    file_add(a, "/usr/lib/sysusers.d/a.conf", "u svc 300\n");
    tree = grow(&planting);
    check_content(tree, "/etc/passwd",
                  "root:x:0:0:Super:/root:/bin/bash\nnobody:x:99:99::/:/usr/sbin/nologin\n"
                  "svc:x:300:300::/:/usr/sbin/nologin\n");
}

static void names_and_numbers_that_are_taken_stay(void **state)
{
    struct planting planting = plant(*state);
    struct arena *arena = &planting.fixture->arena;
    struct wish_user nobody = {.name = "nobody", .uid = 99};
    list_add(arena, &planting.wishes.users, nobody);
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/passwd", ROOT_LINE "nobody:x:99:99::/nonexistent:/usr/sbin/nologin\n");
    check_content(tree, "/etc/group", "root:x:0:\nnobody:x:99:\n" DEB_NOGROUP);
    planting.wishes.users.items[0] = (struct wish_user){.name = "mine", .uid = 65534};
    tree = grow(&planting);
    check_content(tree, "/etc/passwd", ROOT_LINE "mine:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
    check_content(tree, "/etc/group", "root:x:0:\nmine:x:65534:\n");
}

static void who_runs_as_nobody_gets_the_distributions_line(void **state)
{
    struct planting planting = plant(*state);
    planting.manifest.config.user = "nobody";
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/passwd", ROOT_LINE DEB_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\n" DEB_NOGROUP);
}

/* With what is below it, and without. */
static void a_directory_has_the_owner_that_the_family_gives_it(void **state)
{
    struct fixture *fixture = *state;
    struct planting planting = plant(fixture);
    struct family family = *shipped_family(&fixture->arena, "deb");
    static const char *const paths[] = {"/srv/empty", "/srv/full"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        struct wish_made made = {.kind = MADE_DIRECTORY, .path = paths[i], .mode = 02770, .owner = "5", .group = "6"};
        list_add(&fixture->arena, &family.skeleton.made, made);
    }
    fixture->deb = &family;
    file_add(package_add(fixture, "a"), "/srv/full/a", "program");
    root_add(&planting, "/srv/full/a");
    const struct tree *tree = grow(&planting);
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        check_node(tree, paths[i], NODE_DIRECTORY, 02770, 5);
        assert_int_equal(node_at(tree, paths[i])->gid, 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_image_of_one_static_binary_has_it),
        TEST(an_image_of_rpm_packages_has_it_as_fedora_lays_it_out),
        TEST(what_packages_list_below_var_run_and_var_lock_is_where_the_links_lead),
        TEST(one_place_listed_in_two_ways_is_one_file_or_a_conflict),
        TEST(another_link_or_a_file_of_a_package_stays),
        TEST(the_same_link_of_a_package_stays_as_it_is_written),
        TEST(the_manifests_entries_win),
        TEST(what_the_manifest_makes_below_the_links_is_where_they_lead),
        TEST(nothing_of_it_is_put_below_what_is_no_directory),
        TEST(tmpfiles_of_packages_sets_modes_and_goes_through_the_links),
        TEST(directories_of_packages_that_are_kept_stay),
        TEST(passwd_of_a_package_stays_unless_accounts_are_added),
        TEST(names_and_numbers_that_are_taken_stay),
        TEST(a_directory_has_the_owner_that_the_family_gives_it),
        TEST(who_runs_as_nobody_gets_the_distributions_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
