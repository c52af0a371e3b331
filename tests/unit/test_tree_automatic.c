/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of tree/tree_automatic and of automatic things in tree/tree_made: what scripts and units would have made. */
#include "planting.h"

static struct wish_made *automatic_add(struct planting *planting, enum wish_made_kind kind, const char *path)
{
    struct wish_made *made = made_add(planting, kind, path);
    made->is_automatic = true;
    return made;
}

static void user_wanted(struct planting *planting, const char *name, uint64_t uid, const char *group)
{
    const struct wish_user user = {
        .name = name, .uid = uid, .group = group, .home = "/var/lib/svc", .is_automatic = true};
    list_add(&planting->fixture->arena, &planting->wishes.users, user);
}

static void owner_wanted(struct planting *planting, struct wish_owner owner)
{
    list_add(&planting->fixture->arena, &planting->wishes.owners, owner);
}

static void automatic_accounts_get_free_numbers_behind_all_others(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/usr/lib/sysusers.d/a.conf", "u declared 101\n");
    root_add(&planting, "/usr/lib/sysusers.d/a.conf");
    struct arena *arena = &planting.fixture->arena;
    list_add(arena, &planting.wishes.users, (struct wish_user){.name = "own", .uid = 100});
    user_wanted(&planting, "svc", WISH_NUMBER_FREE, "svc");
    user_wanted(&planting, "declared", WISH_NUMBER_FREE, "svc");
    user_wanted(&planting, "other", 100, "nogroup");
    user_wanted(&planting, "fixed", 555, "fixed");
    user_wanted(&planting, "x:0:0", WISH_NUMBER_FREE, "svc");
    list_add(arena, &planting.wishes.groups,
             (struct wish_group){.name = "svc", .gid = WISH_NUMBER_FREE, .is_automatic = true});
    list_add(arena, &planting.wishes.members, (struct wish_member){"declared", "svc", NULL});
    list_add(arena, &planting.wishes.members, (struct wish_member){"declared", "absent", NULL});
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/passwd",
                  ROOT_LINE "own:x:100:100::/nonexistent:/usr/sbin/nologin\n"
                            "declared:x:101:101::/:/usr/sbin/nologin\n"
                            "svc:x:102:102::/var/lib/svc:/usr/sbin/nologin\n"
                            "other:x:103:65534::/var/lib/svc:/usr/sbin/nologin\n"
                            "fixed:x:555:555::/var/lib/svc:/usr/sbin/nologin\n" DEB_NOBODY);
    check_content(tree, "/etc/group",
                  "root:x:0:\nown:x:100:\ndeclared:x:101:\nsvc:x:102:declared\nnogroup:x:65534:\nfixed:x:555:\n");
    assert_true(has_note(tree, "declared is no member of absent"));
}

/* A program that a package ships twice, and what is like it but for one thing. */
static void a_program_that_a_package_ships_twice_is_there_once_with_automatic_plug_ins(void **state)
{
    static const char *const others[] = {"/usr/lib/git-core/git", "/usr/lib/git-core/mode", "/usr/lib/git-core/data",
                                         "/usr/lib/git-core/library", "/usr/lib/git-core/other"};
    for (int is_automatic = 0; is_automatic <= 1; is_automatic++) {
        struct planting planting = plant(*state);
        struct package *git = package_add(*state, "git");
        planting.fixture->package_count = 1;
        git->count = 0;
        planting.manifest.automatic[AUTOMATIC_PLUGINS] = is_automatic;
        root_add(&planting, "/usr/bin/git");
        elf_add(*state, git, "/usr/bin/git", NULL, "")->interp = "/lib64/ld.so";
        for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
            elf_add(*state, git, others[i], NULL, "")->interp = i == 3 ? NULL : "/lib64/ld.so";
            root_add(&planting, others[i]);
            struct entry *entry = &git->entries[git->count - 1];
            if (i < 4)
                entry->digest = git->entries[0].digest;
            entry->mode = i == 1 ? 04755 : 0755;
            if (i == 2)
                entry->elf = NULL;
        }
        const struct tree *tree = grow(&planting);
        assert_int_equal(node_at(tree, "/usr/bin/git")->kind, NODE_FILE);
        for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
            bool is_link = node_at(tree, others[i])->kind == NODE_HARDLINK;
            assert_int_equal(is_link, is_automatic && i == 0);
        }
    }
}

static void automatic_things_belong_to_accounts_that_are_numbered_later(void **state)
{
    struct planting planting = plant(*state);
    user_wanted(&planting, "svc", WISH_NUMBER_FREE, "svc");
    struct wish_made *made = automatic_add(&planting, MADE_DIRECTORY, "/var/run/svc");
    made->owner = made->group = "svc";
    made_add(&planting, MADE_FILE, "/etc/own")->owner = "svc"; /* the manifest may name it */
    automatic_add(&planting, MADE_FILE, "/etc/lost")->owner = "absent";
    const struct tree *tree = grow(&planting);
    check_node(tree, "/run/svc", NODE_DIRECTORY, 0755, 100);
    check_node(tree, "/etc/own", NODE_FILE, 0644, 100);
    check_node(tree, "/etc/lost", NODE_FILE, 0644, 0);
    assert_true(has_note(tree, "/etc/lost of the manifest belongs to the user absent"));
}

static void automatic_things_give_way(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/etc/file", "packaged");
    file_add(a, "/etc/dir/f", "packaged");
    root_add(&planting, "/etc/file");
    root_add(&planting, "/etc/dir/f");
    made_add(&planting, MADE_FILE, "/etc/own");
    automatic_add(&planting, MADE_DIRECTORY, "/etc/file");
    automatic_add(&planting, MADE_DIRECTORY, "/etc/file/below");
    automatic_add(&planting, MADE_SYMLINK, "/etc/dir");
    automatic_add(&planting, MADE_SYMLINK, "/etc/own");
    automatic_add(&planting, MADE_DIRECTORY, "/var/run");
    automatic_add(&planting, MADE_DIRECTORY, "/etc/dir")->mode = 0700;
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/file", "packaged");
    check_node(tree, "/etc/dir", NODE_DIRECTORY, 0700, 0);
    check_content(tree, "/etc/own", "made\n");
    check_node(tree, "/var/run", NODE_SYMLINK, 0777, 0);
}

static void accounts_are_not_what_a_script_writes_into_their_files(void **state)
{
    struct planting planting = plant(*state);
    automatic_add(&planting, MADE_FILE, "/etc/passwd")->content = "root::0:0::/:/bin/sh\n";
    automatic_add(&planting, MADE_SYMLINK, "/etc/group");
    user_wanted(&planting, "svc", WISH_NUMBER_FREE, "svc");
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/passwd", ROOT_LINE "svc:x:100:100::/var/lib/svc:/usr/sbin/nologin\n" DEB_NOBODY);
    check_node(tree, "/etc/group", NODE_FILE, 0644, 0);
}

static void a_copy_has_the_bytes_of_a_file_that_need_not_be_kept(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/usr/share/a/conf", "packaged")->mode = 04640;
    link_add(a, "/usr/share/a/link", "conf");
    struct wish_made *made = automatic_add(&planting, MADE_COPY, "/etc/a.conf");
    made->source = "/usr/share/a/link";
    made->keeps_mode = true;
    automatic_add(&planting, MADE_COPY, "/etc/none")->source = "/usr/share/absent";
    const struct tree *tree = grow(&planting);
    check_content(tree, "/etc/a.conf", "packaged");
    check_node(tree, "/etc/a.conf", NODE_FILE, 0640, 0);
    assert_non_null(node_at(tree, "/etc/a.conf")->digest);
    assert_string_equal(node_at(tree, "/etc/a.conf")->package->name, "a");
    assert_null(node_at(tree, "/usr/share/a/conf"));
    assert_null(node_at(tree, "/etc/none"));
}

static void owners_and_modes_of_packaged_files_are_changed(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    dir_add(a, "/srv/a", 0755);
    file_add(a, "/srv/a/f", "x")->mode = 06755;
    file_add(a, "/srv/a/g", "y")->mode = 0644;
    file_add(a, "/srv/b", "z");
    link_add(a, "/srv/a/l", "f");
    root_add(&planting, "/srv/a/f");
    root_add(&planting, "/srv/a/g");
    root_add(&planting, "/srv/a/l");
    root_add(&planting, "/srv/b");
    made_add(&planting, MADE_FILE, "/srv/a/own");
    user_wanted(&planting, "svc", WISH_NUMBER_FREE, "svc");
    automatic_add(&planting, MADE_FILE, "/srv/a/made");
    owner_wanted(&planting, (struct wish_owner){.path = "/srv/a", .owner = "svc", .is_deep = true});
    owner_wanted(&planting,
                 (struct wish_owner){
                     .path = "/srv/a", .mode_lost = 0005, .mode_set = 02020, .mode_search = 0010, .is_deep = true});
    owner_wanted(&planting, (struct wish_owner){.path = "/srv/b", .owner = "absent", .mode_lost = 07777});
    owner_wanted(&planting, (struct wish_owner){.path = "/srv/none", .owner = "absent too"});
    owner_wanted(&planting, (struct wish_owner){.path = "/srv/b", .capabilities = (1ull << 10) | (1ull << 40)});
    const struct tree *tree = grow(&planting);
    struct text capability = node_at(tree, "/srv/b")->capability;
    assert_int_equal(capability.len, 20);
    assert_memory_equal(capability.ptr, "\1\0\0\2\0\4\0\0\0\0\0\0\0\1\0\0\0\0\0\0", 20);
    check_node(tree, "/srv/a", NODE_DIRECTORY, 02770, 100);
    check_node(tree, "/srv/a/f", NODE_FILE, 02770, 100);
    check_node(tree, "/srv/a/g", NODE_FILE, 02660, 100);
    check_node(tree, "/srv/a/l", NODE_SYMLINK, 0777, 0);
    check_node(tree, "/srv/a/own", NODE_FILE, 0644, 0);
    check_node(tree, "/srv/a/made", NODE_FILE, 0644, 0); /* as its wish says */
    check_node(tree, "/srv/b", NODE_FILE, 0644, 0);
    assert_true(has_note(tree, "/srv/b stays whose it is"));
    assert_false(has_note(tree, "/srv/none"));
}

static void accounts_of_every_system_are_known_without_their_package(void **state)
{
    struct planting planting = plant(*state);
    struct package *a = package_add(*state, "a");
    file_add(a, "/usr/lib/tmpfiles.d/a.conf", "d /var/lib/web 0750 www-data adm\n");
    root_add(&planting, "/usr/lib/tmpfiles.d/a.conf");
    const struct tree *tree = grow(&planting);
    check_node(tree, "/var/lib/web", NODE_DIRECTORY, 0750, 33);
    assert_int_equal(node_at(tree, "/var/lib/web")->gid, 4);
    check_content(tree, "/etc/passwd", ROOT_LINE "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n" DEB_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\nwww-data:x:33:\nadm:x:4:\n" DEB_NOGROUP);
}

static void the_package_that_lists_such_accounts_wins(void **state)
{
    struct planting planting = plant(*state);
    struct package *base = package_add(*state, "base-passwd");
    file_add(base, "/usr/share/base-passwd/passwd.master", "www-data:*:44:45:other:/web:/bin/sh\n");
    file_add(base, "/usr/share/base-passwd/group.master", "www-data:*:45:\n");
    planting.wants_base = true;
    user_wanted(&planting, "www-data", WISH_NUMBER_FREE, "nogroup");
    user_wanted(&planting, "svc", 33, "mail");
    const struct tree *tree = grow(&planting);
    const struct node *passwd = node_at(tree, "/etc/passwd"), *group = node_at(tree, "/etc/group");
    assert_non_null(strstr(passwd->data, "\nwww-data:x:44:45:other:/web:/bin/sh\n"));
    assert_non_null(strstr(passwd->data, "\nsvc:x:33:8::/var/lib/svc:/usr/sbin/nologin\n"));
    assert_non_null(strstr(passwd->data, "\nsync:x:4:65534:sync:/bin:/bin/sync\n"));
    assert_non_null(strstr(group->data, "\nshadow:x:42:\n"));
    assert_null(strstr(group->data, ":33:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_that_a_package_ships_twice_is_there_once_with_automatic_plug_ins),
        TEST(automatic_accounts_get_free_numbers_behind_all_others),
        TEST(automatic_things_belong_to_accounts_that_are_numbered_later),
        TEST(automatic_things_give_way),
        TEST(accounts_are_not_what_a_script_writes_into_their_files),
        TEST(a_copy_has_the_bytes_of_a_file_that_need_not_be_kept),
        TEST(owners_and_modes_of_packaged_files_are_changed),
        TEST(accounts_of_every_system_are_known_without_their_package),
        TEST(the_package_that_lists_such_accounts_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
