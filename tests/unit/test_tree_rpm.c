/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of what the tree makes of .rpm packages: owners by name, the list of packages, merged directories. */
#include "planting.h"

#include "rpm/rpm_facts.h"

static struct package *rpm_add(struct fixture *fixture, const char *name)
{
    struct package *package = package_add(fixture, name);
    package->format = &format_rpm;
    package->version = "1.0-1.fc42";
    package->architecture = "x86_64";
    package->facts.count = 0;
    fact_set(fixture, package, RPM_VERSION, "1.0");
    fact_set(fixture, package, RPM_RELEASE, "1.fc42");
    fact_set(fixture, package, RPM_SOURCE, "src-1.0-1.fc42.src.rpm");
    fact_set(fixture, package, RPM_SIZE, "4321");
    return package;
}

static struct entry *owned_add(struct package *package, const char *path, const char *owner, const char *group)
{
    struct entry *entry = file_add(package, path, path);
    entry->owner = owner;
    entry->group = group;
    return entry;
}

static void check_owner(const struct tree *tree, const char *path, uint32_t uid, uint32_t gid)
{
    const struct node *node = node_at(tree, path);
    if (!node || node->uid != uid || node->gid != gid)
        fail_msg("%s: owner %u:%u", path, node ? node->uid : 0, node ? node->gid : 0);
}

static void owners_are_of_the_manifest_then_of_sysusers_then_of_setup(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = rpm_add(*state, "a"), *setup = rpm_add(*state, "setup");
    owned_add(a, "/usr/bin/mine", "mine", "root");
    owned_add(a, "/usr/bin/named", "named", "named");
    owned_add(a, "/usr/bin/mail", "mail", "mail");
    owned_add(a, "/usr/bin/tty", "root", "tty");
    struct entry *dir = dir_add(a, "/var/lib/a", 0750);
    dir->owner = "named";
    dir->group = "mail";
    owned_add(a, "/var/lib/a/f", "root", "root");
    file_add(a, "/usr/lib/sysusers.d/a.conf", "u named 25 \"Named\" /var/named\nu mine 26\nu mail 27\n");
    file_add(setup, "/etc/passwd",
             "root:x:0:0:Super User:/root:/bin/bash\nmail:x:8:12:mail:/var/spool/mail:/usr/sbin/nologin\n"
             "named:x:9:9::/:\nbroken:x:y:z\n\n:x:1:1::/:\n");
    file_add(setup, "/etc/group", "root:x:0:\nmail:x:12:\ntty:x:5:\nbin:x:1:root,daemon\n");
    struct wish_user mine = {.name = "mine", .uid = 500, .group = "500"};
    list_add(&planting.fixture->arena, &planting.wishes.users, mine);
    static const char *const roots[] = {"/usr/bin/mine", "/usr/bin/named", "/usr/bin/mail", "/usr/bin/tty",
                                        "/var/lib/a/f"};
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++)
        root_add(&planting, roots[i]);
    const struct tree *tree = grow(&planting);
    check_owner(tree, "/usr/bin/mine", 500, 0);
    check_owner(tree, "/usr/bin/named", 25, 25);
    check_owner(tree, "/usr/bin/mail", 27, 27);
    check_owner(tree, "/usr/bin/tty", 0, 5);
    check_owner(tree, "/var/lib/a", 25, 27);
    check_owner(tree, "/var/lib/a/f", 0, 0);
    assert_int_equal(tree->notes.count, 0);
    check_content(tree, "/etc/passwd",
                  "root:x:0:0:root:/root:/usr/sbin/nologin\nmine:x:500:500::/nonexistent:/usr/sbin/nologin\n"
                  "named:x:25:25:Named:/var/named:/usr/sbin/nologin\nmail:x:27:27::/:/usr/sbin/nologin\n" RPM_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\nnamed:x:25:\nmail:x:27:\ntty:x:5:\n" RPM_NOGROUP);
}

static void owners_that_only_the_distribution_lists_get_their_lines(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = rpm_add(*state, "a"), *base = package_add(*state, "base-passwd");
    owned_add(a, "/usr/bin/x", "mail", "bin");
    file_add(base, "/usr/share/base-passwd/passwd.master", "mail:*:8:12:Mail:/var/mail:/bin/sh\n");
    file_add(base, "/usr/share/base-passwd/group.master", "bin:*:1:\nmail:*:12:\nother:*:13:\n");
    root_add(&planting, "/usr/bin/x");
    const struct tree *tree = grow(&planting);
    check_owner(tree, "/usr/bin/x", 8, 1);
    check_content(tree, "/etc/passwd", ROOT_LINE "mail:x:8:12:Mail:/var/mail:/bin/sh\n" RPM_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\nmail:x:12:\nbin:x:1:\n" RPM_NOGROUP);
}

static void numbers_are_not_taken_from_damaged_bytes_of_the_cache(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = rpm_add(*state, "a"), *setup = rpm_add(*state, "setup");
    owned_add(a, "/usr/bin/x", "mail", "root");
    file_add(setup, "/etc/passwd", "mail:x:8:12::/:\n")->data = "mail:x:0:12::/:\n";
    root_add(&planting, "/usr/bin/x");
    assert_false(try_grow(&planting, false));
    CHECK_ERR(&planting.fixture->err, ERR_TRUST, "/etc/passwd (package setup): its bytes are not those");
}

static void an_owner_may_be_declared_by_a_package_that_gives_nothing(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = rpm_add(*state, "a"), *b = rpm_add(*state, "b");
    owned_add(a, "/usr/bin/x", "web", "web");
    file_add(b, "/usr/lib/sysusers.d/b.conf", "g web 48\nu web 48\nu unused -\n");
    root_add(&planting, "/usr/bin/x");
    planting.is_partial = true;
    assert_true(grow(&planting)->wants_all);
    planting.is_partial = false;
    const struct tree *tree = grow(&planting);
    assert_false(tree->wants_all);
    check_owner(tree, "/usr/bin/x", 48, 48);
    check_content(tree, "/etc/group", "root:x:0:\nweb:x:48:\n" RPM_NOGROUP);
}

static void an_unknown_owner_becomes_root_with_a_note(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = rpm_add(*state, "a");
    owned_add(a, "/usr/bin/x", "nobody\n-known", "strangers");
    owned_add(a, "/usr/bin/y", "root", "strangers");
    root_add(&planting, "/usr/bin/x");
    root_add(&planting, "/usr/bin/y");
    const struct tree *tree = grow(&planting);
    check_owner(tree, "/usr/bin/x", 0, 0);
    assert_int_equal(tree->notes.count, 2);
    assert_true(has_note(tree, "/usr/bin/x of package a belongs to the user nobody\\x0A-known"));
    assert_true(has_note(tree, "the group strangers, which nothing declares"));
    check_content(tree, "/etc/passwd", ROOT_LINE RPM_NOBODY);
}

static void the_list_of_rpm_packages_names_exactly_the_givers(void **state)
{
    struct planting planting = plant(*state);
    struct package *b = rpm_add(*state, "b"), *c = rpm_add(*state, "c"), *a = rpm_add(*state, "a"),
                   *deb = package_add(*state, "d");
    file_add(a, "/usr/bin/a", "a");
    file_add(b, "/usr/bin/b", "b");
    file_add(deb, "/usr/bin/d", "d");
    file_add(rpm_add(*state, "none"), "/usr/bin/none", "n");
    fact_set(*state, b, RPM_EPOCH, "2");
    fact_set(*state, b, RPM_VENDOR, "Example\tProject\n");
    b->build_time = 900;
    file_add(c, "/usr/bin/c", "c");
    fact_set(*state, c, RPM_SOURCE, ""); /* trivy takes nothing of a list with (none) there */
    root_add(&planting, "/usr/bin/c");
    root_add(&planting, "/usr/bin/a");
    root_add(&planting, "/usr/bin/b");
    root_add(&planting, "/usr/bin/d");
    const struct tree *tree = grow(&planting);
    check_content(tree, "/var/lib/rpmmanifest/container-manifest-1",
                  "a-1.0-1.fc42.x86_64\nb-1.0-1.fc42.x86_64\nc-1.0-1.fc42.x86_64\n");
    check_content(tree, "/var/lib/rpmmanifest/container-manifest-2",
                  "a\t1.0-1.fc42\t1000\t1000\t(none)\t(none)\t4321\tx86_64\t0\tsrc-1.0-1.fc42.src.rpm\n"
                  "b\t1.0-1.fc42\t1000\t900\tExample Project \t2\t4321\tx86_64\t2\tsrc-1.0-1.fc42.src.rpm\n"
                  "c\t1.0-1.fc42\t1000\t1000\t(none)\t(none)\t4321\tx86_64\t0\tc-1.0-1.fc42.src.rpm\n");
    assert_non_null(node_at(tree, "/var/lib/dpkg/status.d/d"));
    assert_null(node_at(tree, "/var/lib/dpkg/status.d/a"));
    check_node(tree, "/var/lib/rpmmanifest/container-manifest-2", NODE_FILE, 0644, 0);
}

/* What `filesystem` of Fedora 42 says; /sbin and /usr/sbin have one canonical path. */
static void merge_sbin(struct fixture *fixture, const char *target)
{
    struct package *filesystem = rpm_add(fixture, "filesystem");
    dir_add(filesystem, "/usr/bin", 0755);
    link_add(filesystem, "/usr/sbin", target);
    list_add(&fixture->arena, &fixture->arch.root_links, "sbin");
}

static void files_below_a_merged_directory_are_where_it_leads(void **state)
{
    static const char *const targets[] = {"bin", "usr/bin", "/usr/bin", "../usr/bin"};
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        assert_int_equal(fixture_stop(state), 0);
        assert_int_equal(fixture_start(state), 0);
        struct planting planting = plant(*state);
        merge_sbin(*state, targets[i]);
        struct package *a = rpm_add(*state, "a");
        dir_add(a, "/usr/sbin", 0755);
        file_add(a, "/usr/sbin/old", "old");
        hardlink_add(a, "/usr/sbin/older", "/usr/sbin/old");
        file_add(a, "/usr/bin/new", "new");
        root_add(&planting, "/usr/sbin/old");
        root_add(&planting, "/sbin/older");
        root_add(&planting, "/usr/sbin/new");
        const struct tree *tree = grow(&planting);
        check_content(tree, "/usr/bin/old", "old");
        check_content(tree, "/usr/bin/new", "new");
        check_node(tree, "/usr/bin/older", NODE_HARDLINK, 0644, 0);
        check_node(tree, "/usr/sbin", NODE_SYMLINK, 0777, 0);
        assert_string_equal(node_at(tree, "/usr/sbin")->target, "bin");
        assert_string_equal(node_at(tree, "/sbin")->target, "usr/bin");
        assert_null(node_at(tree, "/usr/sbin/old"));
    }
}

static void one_file_under_both_names_is_a_conflict_when_it_differs(void **state)
{
    struct planting planting = plant(*state);
    merge_sbin(*state, "bin");
    file_add(rpm_add(*state, "a"), "/usr/sbin/x", "one");
    file_add(rpm_add(*state, "b"), "/usr/bin/x", "other");
    root_add(&planting, "/usr/bin/x");
    check_error(&planting, ERR_RESOLVE, "/usr/bin/x: packages a 1.0-1.fc42 and b 1.0-1.fc42 both have it");
}

static void a_merged_directory_that_nothing_uses_has_only_its_root_link(void **state)
{
    struct planting planting = plant(*state);
    merge_sbin(*state, "bin");
    file_add(rpm_add(*state, "a"), "/usr/bin/x", "x");
    root_add(&planting, "/usr/bin/x");
    const struct tree *tree = grow(&planting);
    assert_null(node_at(tree, "/usr/sbin"));
    assert_string_equal(node_at(tree, "/sbin")->target, "usr/bin");
}

static void without_such_a_link_directories_stay_apart(void **state)
{
    struct planting planting = plant(*state);
    list_add(&planting.fixture->arena, &planting.fixture->arch.root_links, "sbin");
    struct package *filesystem = rpm_add(*state, "filesystem"), *other = rpm_add(*state, "other");
    dir_add(filesystem, "/usr/sbin", 0755);
    link_add(other, "/usr/games", "bin"); /* only the package that lays out the system merges directories */
    file_add(rpm_add(*state, "a"), "/usr/sbin/x", "sbin");
    file_add(rpm_add(*state, "b"), "/usr/bin/x", "bin");
    root_add(&planting, "/usr/sbin/x");
    root_add(&planting, "/usr/bin/x");
    const struct tree *tree = grow(&planting);
    check_content(tree, "/usr/sbin/x", "sbin");
    check_content(tree, "/usr/bin/x", "bin");
    assert_string_equal(node_at(tree, "/sbin")->target, "usr/sbin");
}

static void merged_directories_that_go_in_circles_are_no_links(void **state)
{
    struct planting planting = plant(*state);
    struct package *filesystem = rpm_add(*state, "filesystem");
    link_add(filesystem, "/usr/one", "two");
    link_add(filesystem, "/usr/two", "one");
    link_add(filesystem, "/usr/three", "three");
    link_add(filesystem, "/usr/four", "../../..");
    link_add(filesystem, "/usr/five", "../etc");
    file_add(rpm_add(*state, "a"), "/usr/bin/x", "x");
    root_add(&planting, "/usr/bin/x");
    (void)grow(&planting);
    assert_string_equal(fileset_merged(&planting.fixture->set, "/usr/one/x"), "/usr/one/x");
    assert_string_equal(fileset_merged(&planting.fixture->set, "/usr/five"), "/usr/five");
    assert_string_equal(fileset_merged(&planting.fixture->set, "/usr"), "/usr");
}

static void a_library_directory_brings_its_root_link(void **state)
{
    struct planting planting = plant(*state);
    planting.fixture->arch.root_links.count = 1; /* bin */
    file_add(rpm_add(*state, "a"), "/usr/lib64/libx.so.1", "x");
    root_add(&planting, "/usr/lib64/libx.so.1");
    const struct tree *tree = grow(&planting);
    assert_string_equal(node_at(tree, "/lib64")->target, "usr/lib64");
    assert_null(node_at(tree, "/lib32"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(owners_are_of_the_manifest_then_of_sysusers_then_of_setup),
        TEST(owners_that_only_the_distribution_lists_get_their_lines),
        TEST(numbers_are_not_taken_from_damaged_bytes_of_the_cache),
        TEST(an_owner_may_be_declared_by_a_package_that_gives_nothing),
        TEST(an_unknown_owner_becomes_root_with_a_note),
        TEST(the_list_of_rpm_packages_names_exactly_the_givers),
        TEST(files_below_a_merged_directory_are_where_it_leads),
        TEST(one_file_under_both_names_is_a_conflict_when_it_differs),
        TEST(a_merged_directory_that_nothing_uses_has_only_its_root_link),
        TEST(without_such_a_link_directories_stay_apart),
        TEST(merged_directories_that_go_in_circles_are_no_links),
        TEST(a_library_directory_brings_its_root_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
