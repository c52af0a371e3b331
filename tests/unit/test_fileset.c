/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of closure/fileset: look-up and walks through the packages' symlinks. */
#include "packages.h"

static const char *walk_to(struct fixture *fixture, const char *path, struct sourced_list *links)
{
    const char *end = NULL;
    const struct sourced *file = fileset_walk(&fixture->set, &fixture->arena, path, links, &end);
    if (file)
        assert_string_equal(file->entry->path, end);
    return file ? end : NULL;
}

static void a_walk_follows_links_in_directories_and_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    file_add(package, "/usr/lib/real/libx.so.1.2", "x");
    link_add(package, "/usr/lib/real/libx.so.1", "libx.so.1.2");
    link_add(package, "/usr/lib/alias", "../lib/real");
    link_add(package, "/opt/x", "/lib/alias/libx.so.1");
    set_build(fixture, false);
    struct sourced_list links = {0};
    assert_string_equal(walk_to(fixture, "/opt/x", &links), "/usr/lib/real/libx.so.1.2");
    assert_int_equal(links.count, 3);
    assert_string_equal(links.items[0]->entry->path, "/opt/x");
    assert_string_equal(links.items[1]->entry->path, "/usr/lib/alias");
    assert_string_equal(links.items[2]->entry->path, "/usr/lib/real/libx.so.1");
    assert_string_equal(walk_to(fixture, "lib//alias/./libx.so.1", NULL), "/usr/lib/real/libx.so.1.2");
}

static void dot_dot_leaves_the_directory_that_was_really_reached(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    link_add(package, "/usr/lib/alias", "/srv/deep/real");
    file_add(package, "/srv/deep/f", "right");
    file_add(package, "/usr/lib/f", "wrong");
    set_build(fixture, false);
    assert_string_equal(walk_to(fixture, "/usr/lib/alias/../f", NULL), "/srv/deep/f");
}

static void climbing_above_the_root_stays_in_the_root(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    link_add(package, "/usr/far", "../../../../../../../../etc/passwd");
    file_add(package, "/etc/passwd", "inside");
    set_build(fixture, false);
    assert_string_equal(walk_to(fixture, "/usr/far", NULL), "/etc/passwd");
    assert_string_equal(walk_to(fixture, "../../etc/passwd", NULL), "/etc/passwd");
}

static void loops_of_links_end(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    link_add(package, "/usr/self", "self");
    link_add(package, "/usr/a", "b/x/y");
    link_add(package, "/usr/b", "a/x/y");
    set_build(fixture, false);
    struct sourced_list links = {0};
    assert_null(walk_to(fixture, "/usr/self", &links));
    assert_true(links.count <= 41);
    assert_null(walk_to(fixture, "/usr/a/z", NULL));
}

static void forty_links_in_a_row_are_followed_and_forty_one_are_not(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    for (int i = 0; i < 41; i++)
        link_add(package, arena_printf(&fixture->arena, "/l/%02d", i), arena_printf(&fixture->arena, "%02d", i + 1));
    file_add(package, "/l/41", "end");
    set_build(fixture, false);
    assert_non_null(walk_to(fixture, "/l/01", NULL));
    assert_null(walk_to(fixture, "/l/00", NULL));
}

static void a_walk_that_finds_nothing_tells_where_it_ended(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    link_add(package, "/usr/bin/x", "/etc/alternatives/x");
    file_add(package, "/usr/file", "f");
    set_build(fixture, false);
    const char *end = NULL;
    assert_null(fileset_walk(&fixture->set, &fixture->arena, "/bin/x", NULL, &end));
    assert_string_equal(end, "/etc/alternatives/x");
    assert_null(fileset_walk(&fixture->set, &fixture->arena, "/usr/file/../file", NULL, &end));
}

static void what_is_looked_for_and_not_there_is_noted_once(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    struct map sought = {.arena = &fixture->arena};
    struct sourced_list files;
    file_add(package, "/usr/lib/x/libx.so.1", "x");
    set_build(fixture, false);
    fixture->set.sought = &sought;
    assert_non_null(walk_to(fixture, "/usr/lib/x/libx.so.1", NULL));
    for (int i = 0; i < 2; i++) {
        assert_null(walk_to(fixture, "/lib/y/liby.so.1", NULL));
        assert_null(fileset_find(&fixture->set, "/etc/z"));
        fileset_list(&fixture->set, &fixture->arena, "/etc/ld.so.conf.d/", &files);
        fileset_seek(&fixture->set, "pam_unix.so");
    }
    static const char *const wanted[] = {"/usr/lib/y/liby.so.1", "/usr/lib/y", "/etc/z", "/etc/ld.so.conf.d/",
                                         "pam_unix.so"};
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        assert_non_null(map_get(&sought, text_of(wanted[i])));
    assert_null(map_get(&sought, TEXT("/usr/lib/x/libx.so.1")));
    for (size_t i = 0; i < sought.slots.count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_false(text_eq(sought.slots.items[i].key, sought.slots.items[j].key));
    }
}

static void an_overlong_path_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    char *target = arena_alloc(&fixture->arena, 6000);
    for (size_t i = 0; i < 5999; i++)
        target[i] = i % 2 ? 'a' : '/';
    link_add(package, "/usr/long", target);
    set_build(fixture, false);
    assert_null(walk_to(fixture, "/usr/long", NULL));
}

static void the_first_package_by_name_gives_a_path_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    file_add(package_add(fixture, "b"), "/etc/x", "b");
    file_add(package_add(fixture, "a"), "/etc/x", "a");
    file_add(package_add(fixture, "c"), "/etc/x", "c");
    for (int i = 0; i < 2; i++) {
        set_build(fixture, i);
        const struct sourced *file = fileset_find(&fixture->set, "/etc/x");
        assert_string_equal(file->package->name, "a");
        assert_string_equal(file->shadowed->package->name, "b");
        assert_string_equal(file->shadowed->shadowed->package->name, "c");
        assert_null(file->shadowed->shadowed->shadowed);
    }
}

static void a_package_that_replaces_the_other_gives_the_path(void **state)
{
    struct fixture *fixture = *state;
    file_add(package_add(fixture, "a"), "/etc/x", "a");
    struct package *newer = package_add(fixture, "b");
    file_add(newer, "/etc/x", "b");
    newer->provides_files_replaced = "aa, a (<< 2.0), c:any";
    for (int i = 0; i < 2; i++) {
        set_build(fixture, i);
        assert_string_equal(fileset_find(&fixture->set, "/etc/x")->package->name, "b");
    }
    newer->provides_files_replaced = "aa (<< 2.0), b-a";
    set_build(fixture, false);
    assert_string_equal(fileset_find(&fixture->set, "/etc/x")->package->name, "a");
}

static void a_settled_path_is_the_chosen_packages_alone(void **state)
{
    struct fixture *fixture = *state;
    file_add(package_add(fixture, "server"), "/usr/sbin/dhcpd", "plain");
    file_add(package_add(fixture, "server-ldap"), "/usr/sbin/dhcpd", "ldap");
    set_build(fixture, false);
    fileset_settle(&fixture->set, "/usr/sbin/dhcpd", "server-ldap");
    const struct sourced *file = fileset_find(&fixture->set, "/usr/sbin/dhcpd");
    assert_string_equal(file->package->name, "server-ldap");
    assert_null(file->shadowed);
    fileset_settle(&fixture->set, "/usr/sbin/dhcpd", "unknown");
    assert_ptr_equal(fileset_find(&fixture->set, "/usr/sbin/dhcpd"), file);
}

static void packaged_links_of_the_merged_usr_are_left_to_the_tree(void **state)
{
    struct fixture *fixture = *state;
    struct package *base = package_add(fixture, "base-files");
    link_add(base, "/usr/lib", "usr/lib"); /* "/lib" in the package */
    link_add(base, "/usr/lib64", "/usr/lib64");
    file_add(base, "/usr/lib/os-release", "x");
    set_build(fixture, false);
    assert_string_equal(walk_to(fixture, "/lib/os-release", NULL), "/usr/lib/os-release");
    assert_null(fileset_find(&fixture->set, "/usr/lib"));
    assert_null(fileset_find(&fixture->set, "/usr/lib64"));
}

static void the_content_of_a_hard_link_is_its_targets(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "a");
    file_add(package, "/usr/bin/perl", "p");
    hardlink_add(package, "/usr/bin/perl5", "/usr/bin/perl");
    hardlink_add(package, "/usr/bin/stale", "/usr/bin/none");
    dir_add(package, "/usr/bin", 0755);
    set_build(fixture, false);
    assert_string_equal(sourced_content(fileset_find(&fixture->set, "/usr/bin/perl5"))->path, "/usr/bin/perl");
    assert_null(sourced_content(fileset_find(&fixture->set, "/usr/bin/stale")));
    assert_null(sourced_content(fileset_find(&fixture->set, "/usr/bin")));
}

static void links_of_other_packages_are_followed_to_the_directory_at_their_end(void **state)
{
    struct fixture *fixture = *state;
    struct package *a = package_add(fixture, "a"), *b = package_add(fixture, "b");
    link_add(a, "/usr/share/d", "e");           /* over two links … */
    link_add(a, "/usr/share/e", "./real/sub");  /* … of which one leads below a third */
    link_add(a, "/usr/share/real", "../lib/x"); /* of which no package lists the directory itself */
    file_add(a, "/usr/lib/x/sub/own", "1");
    link_add(a, "/usr/share/one", "two");
    link_add(a, "/usr/share/two", "one");
    file_add(b, "/usr/share/d/file", "2");
    file_add(b, "/usr/share/one/file", "3");
    set_build(fixture, false);
    assert_string_equal(fileset_find(&fixture->set, "/usr/lib/x/sub/file")->package->name, "b");
    assert_null(fileset_find(&fixture->set, "/usr/share/d/file"));
    assert_non_null(fileset_find(&fixture->set, "/usr/share/one/file")); /* in circles: as it is listed */
}

static void an_empty_set_finds_nothing(void **state)
{
    struct fixture *fixture = *state;
    set_build(fixture, false);
    assert_null(fileset_find(&fixture->set, "/usr/bin/x"));
    assert_null(walk_to(fixture, "/", NULL));
    assert_null(walk_to(fixture, "", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_walk_follows_links_in_directories_and_at_the_end),
        TEST(dot_dot_leaves_the_directory_that_was_really_reached),
        TEST(climbing_above_the_root_stays_in_the_root),
        TEST(loops_of_links_end),
        TEST(forty_links_in_a_row_are_followed_and_forty_one_are_not),
        TEST(a_walk_that_finds_nothing_tells_where_it_ended),
        TEST(what_is_looked_for_and_not_there_is_noted_once),
        TEST(an_overlong_path_is_not_found),
        TEST(the_first_package_by_name_gives_a_path_in_any_order),
        TEST(a_package_that_replaces_the_other_gives_the_path),
        TEST(a_settled_path_is_the_chosen_packages_alone),
        TEST(packaged_links_of_the_merged_usr_are_left_to_the_tree),
        TEST(the_content_of_a_hard_link_is_its_targets),
        TEST(links_of_other_packages_are_followed_to_the_directory_at_their_end),
        TEST(an_empty_set_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
