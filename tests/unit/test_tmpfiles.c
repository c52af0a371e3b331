/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of tmpfiles.d in images: systemd-tmpfiles makes the same of the same tree; hostile lines do no harm. */
#include "planting.h"

#include <sys/stat.h>

#define CONF "/usr/lib/tmpfiles.d/p.conf"

static void make_packages(struct planting *planting)
{
    struct package *package = package_add(planting->fixture, "p");
    file_add(package, "/usr/bin/p", "program");
    dir_add(package, "/var/lib/p", 0700);
    file_add(package, "/var/lib/p/data", "data")->mode = 0600;
    file_add(package, "/var/lib/p/tool", "tool")->mode = 0755;
    file_add(package, "/usr/share/factory/etc/p.conf", "factory");
    file_add(package, "/usr/share/factory/etc/p.d/a", "a")->mode = 0640;
    file_add(package, "/usr/share/factory/etc/p.d/sub/b", "b");
    link_add(package, "/usr/share/factory/etc/p.d/link", "a");
    link_add(package, "/usr/link", "bin");
    static const char *const roots[] = {"/usr/bin/p",
                                        "/var/lib/p/data",
                                        "/var/lib/p/tool",
                                        "/usr/share/factory/etc/p.conf",
                                        "/usr/share/factory/etc/p.d/a",
                                        "/usr/share/factory/etc/p.d/sub/b"};
    for (size_t i = 0; i < ARRAY_COUNT(roots); i++)
        root_add(planting, roots[i]);
    struct wish_user user = {.name = "svc", .uid = 77, .group = "svc"};
    list_add(&planting->fixture->arena, &planting->wishes.users, user);
    list_add(&planting->fixture->arena, &planting->wishes.groups, (struct wish_group){.name = "svc", .gid = 78});
}

static const struct tree *grow_with(struct planting *planting, const char *lines)
{
    make_packages(planting);
    file_add(&planting->fixture->packages[planting->fixture->package_count - 1], CONF, lines);
    return grow(planting);
}

static void export_to(struct planting *planting, const char *dir, const char *name)
{
    struct err err = {0};
    CHECK_OK(tree_export(&planting->tree, dir, "t", name, &err), &err);
}

/* Compares kinds, modes, owners, targets and bytes with what systemd-tmpfiles makes of the tree without the lines. */
static void judge(void **state, const char *lines)
{
    struct planting plain = plant(*state);
    make_packages(&plain);
    (void)grow(&plain);
    if (geteuid() != 0 || system("command -v systemd-tmpfiles >/dev/null") != 0)
        skip();
    const char *dir = check_temporary_dir();
    export_to(&plain, dir, "judged");
    assert_int_equal(fixture_stop(state), 0);
    assert_int_equal(fixture_start(state), 0);
    struct planting planting = plant(*state);
    (void)grow_with(&planting, lines);
    export_to(&planting, dir, "ours");
    static const char script[] =
        "cd '%s/t' && mkdir -p judged/usr/lib/tmpfiles.d && cp ../p.conf judged/usr/lib/tmpfiles.d/ && "
        "{ systemd-tmpfiles --create --boot --root=\"$PWD/judged\" 2>said || :; } && "
        "rm -r judged/usr/lib/tmpfiles.d && "
        "for d in judged ours; do (cd $d && find . -mindepth 1 -printf '%%p %%y %%m %%U %%G %%l\\n' | sort && "
        "find . -type f -exec md5sum {} + | sort) >$d.list; done && diff ours.list judged.list || "
        "{ cat said; exit 1; }";
    FILE *file = fopen(arena_printf(&planting.fixture->arena, "%s/p.conf", dir), "we");
    assert_non_null(file);
    (void)fputs(lines, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(system(arena_printf(&planting.fixture->arena, script, dir)), 0);
    assert_int_equal(system(arena_printf(&planting.fixture->arena, "rm -rf '%s'", dir)), 0);
}

static void directories_are_those_that_systemd_tmpfiles_makes(void **state)
{
    judge(state, "# comment\nd /run/p 0750 svc svc -\nd /run/q/deep - - - 10d\nD! /run/r 2775 root svc\n"
                 "d /var/lib/p 0711 svc - -\nq /srv/vol 0700\nd /run/q 0700 svc\nv \"/run/with blank\" 01777 77 78\n"
                 "e /var/lib/p - svc\ne /var/lib/none 0755\nd /run/%%x\nd /srv/s :0700 :svc :svc\n"
                 "d /var/lib/p 0777 root root\nr /usr/bin/p\nx /tmp\n");
}

static void files_and_links_are_those_that_systemd_tmpfiles_makes(void **state)
{
    judge(state, "f /var/log/p.log 0640 svc svc - first\\nsecond\\x21\nf /var/lib/p/data 0644 - - - kept\n"
                 "f+ /var/lib/p/tool - - - - replaced\nL /etc/link - - - - ../var/lib/p\nL /usr/bin/p - - - - no\n"
                 "L+ /var/lib/p/data - - - - /dev/null\nL /etc/p.conf\nf /run/empty\nF /run/full 0600 - - - full\n"
                 "w /var/lib/p/nothing - - - - x\n");
}

static void copies_are_those_that_systemd_tmpfiles_makes(void **state)
{
    judge(state, "C /etc/p.conf\nC /etc/p.d - - - -\nC /etc/other 0600 svc svc - /usr/share/factory/etc/p.conf\n"
                 "C /etc/gone - - - - /usr/share/none\nC /var/lib/p/data - - - - /usr/bin/p\n");
}

static void modes_are_those_that_systemd_tmpfiles_sets(void **state)
{
    judge(state, "z /var/lib/p/t* 0700 svc svc\nZ /usr/share/factory ~0775 - svc\nz /var/lib/[a-p]/data :0777 svc\n"
                 "z /nothing/* 0777\nd /run/late 0755\nz /run/late 0710 svc\n");
}

static void lines_that_reach_out_or_lie_make_nothing(void **state)
{
    static const char *const lines[] = {"d ../../etc/x 0755",
                                        "d /run/../../x 0755",
                                        "d relative",
                                        "d",
                                        "d /run/x 99",
                                        "d /run/x 0755x",
                                        "d /run/x 077777",
                                        "d /run/x 0755 nobody-here",
                                        "d /run/x 0755 root nobody-here",
                                        "d /run/x 0755 4294967295",
                                        "d /run/\\x00",
                                        "d /run/\\q",
                                        "d \"/run/x",
                                        "j /run/x",
                                        "d@ /run/x",
                                        "f /run/x - - - - bad\\q",
                                        "d /usr/bin/p/below 0777",
                                        "d /usr/link/below 0777",
                                        "d /usr/bin/p 0777"};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        assert_int_equal(fixture_stop(state), 0);
        assert_int_equal(fixture_start(state), 0);
        struct planting planting = plant(*state);
        root_add(&planting, "/usr/link");
        const struct tree *tree = grow_with(&planting, arena_printf(&planting.fixture->arena, "%s\n", lines[i]));
        for (size_t j = 0; j < tree->count; j++) {
            if (strcmp(tree->nodes[j].why, "tmpfiles.d of its package") == 0)
                fail_msg("%s made %s", lines[i], tree->nodes[j].path);
        }
        check_node(tree, "/usr/bin/p", NODE_FILE, 0644, 0);
        if (!has_note(tree, "package p: " CONF ":1: "))
            fail_msg("%s was passed over without a note", lines[i]);
    }
}

static void patterns_that_take_too_long_are_refused(void **state)
{
    struct planting planting = plant(*state);
    struct package *package = package_add(*state, "many");
    for (int i = 0; i < 10; i++)
        file_add(package, arena_printf(&planting.fixture->arena, "/var/lib/many/%0200d", i), "x");
    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    for (int i = 0; i < 3000; i++) {
        assert_true(buf_printf(&text, "Z /var/lib/many/"));
        for (int j = 0; j < 120; j++)
            assert_true(buf_add(&text, "?*", 2));
        assert_true(buf_printf(&text, "x%d 0777\n", i));
    }
    for (int i = 0; i < 10; i++)
        root_add(&planting, arena_printf(&planting.fixture->arena, "/var/lib/many/%0200d", i));
    make_packages(&planting);
    file_add(&planting.fixture->packages[planting.fixture->package_count - 1], CONF,
             arena_strndup(&planting.fixture->arena, text.bytes, text.len));
    buf_done(&text);
    assert_false(try_grow(&planting, false));
    CHECK_ERR(&planting.fixture->err, ERR_MALFORMED, "take too long to match");
}

static void lines_of_one_machine_are_left_out_silently(void **state)
{
    struct planting planting = plant(*state);
    const struct tree *tree =
        grow_with(&planting, "d /run/%m\nd /run/%b 0755\nf /run/host - - - - %H\nf^ /etc/hosts - - - - c\n"
                             "a+ /run - - - - u::r\nb /dev/x - - - - 1:1\nR /tmp/x\nt /run - - - - user.x=1\n");
    assert_string_equal(node_at(tree, "/run")->why, "skeleton");
    assert_null(node_at(tree, "/etc/hosts"));
    assert_int_equal(tree->notes.count, 0);
}

static void a_named_pipe_is_told(void **state)
{
    struct planting planting = plant(*state);
    const struct tree *tree = grow_with(&planting, "p /var/spool/p/trigger 0622\n");
    assert_null(node_at(tree, "/var/spool/p/trigger"));
    assert_int_equal(tree->notes.count, 1);
    assert_non_null(strstr(tree->notes.items[0], "it makes a named pipe, which images do not have"));
}

/* systemd-tmpfiles runs when a package is installed and at each boot: of what a script or a guess made, it has the last word. */
static void directories_that_yield_have_the_owner_and_mode_of_tmpfiles(void **state)
{
    struct planting planting = plant(*state);
    struct wish_made *made = made_add(&planting, MADE_DIRECTORY, "/run/yields");
    made->is_automatic = made->yields_to_tmpfiles = true;
    made->mode = 0700;
    made = made_add(&planting, MADE_DIRECTORY, "/run/stays");
    made->is_automatic = true;
    made->mode = 0700;
    const struct tree *tree = grow_with(&planting, "d /run/yields 0755 33 33\nd /run/stays 0755 33 33\n");
    check_node(tree, "/run/yields", NODE_DIRECTORY, 0755, 33);
    check_node(tree, "/run/stays", NODE_DIRECTORY, 0700, 0);
}

static void specifiers_are_the_systems_directories(void **state)
{
    struct planting planting = plant(*state);
    const struct tree *tree = grow_with(&planting, "d %S/s 0700 %u %g\nf %t/f - - - - %C%%%L\nL %T/l - - - - %V/v\n");
    check_node(tree, "/var/lib/s", NODE_DIRECTORY, 0700, 0);
    check_content(tree, "/run/f", "/var/cache%/var/log");
    assert_string_equal(node_at(tree, "/tmp/l")->target, "/var/tmp/v");
}

static void the_manifests_entries_stay_and_var_run_is_run(void **state)
{
    struct planting planting = plant(*state);
    made_add(&planting, MADE_DIRECTORY, "/run/p")->mode = 0700;
    made_add(&planting, MADE_FILE, "/etc/made");
    made_add(&planting, MADE_SYMLINK, "/etc/linked");
    const struct tree *tree =
        grow_with(&planting, "d /var/run/p 0777 svc\nd /var/run/new 0750 svc svc\nf+ /etc/made 0777 svc - - other\n"
                             "L+ /etc/linked - - - - /other\nz /etc/* 0777 svc svc\n");
    check_node(tree, "/run/p", NODE_DIRECTORY, 0700, 0);
    check_node(tree, "/run/new", NODE_DIRECTORY, 0750, 77);
    check_node(tree, "/etc/made", NODE_FILE, 0644, 0);
    check_content(tree, "/etc/made", "made\n");
    assert_string_equal(node_at(tree, "/etc/linked")->target, "elsewhere");
    assert_string_equal(node_at(tree, "/var/run")->target, "/run");
}

static void packages_without_files_in_the_image_make_nothing(void **state)
{
    struct planting planting = plant(*state);
    file_add(package_add(*state, "other"), "/usr/lib/tmpfiles.d/o.conf", "d /run/other\n");
    struct package *system = package_add(*state, "systemd");
    file_add(system, "/usr/lib/tmpfiles.d/systemd.conf", "d /run/systemd\n");
    file_add(system, "/usr/bin/s", "s");
    root_add(&planting, "/usr/bin/s");
    const struct tree *tree = grow_with(&planting, "d /run/mine\n");
    assert_non_null(node_at(tree, "/run/mine"));
    assert_null(node_at(tree, "/run/other"));
    assert_null(node_at(tree, "/run/systemd"));
}

static void what_is_made_does_not_depend_on_the_packages_order(void **state)
{
    struct planting planting = plant(*state);
    struct package *q = package_add(*state, "q");
    file_add(q, "/usr/bin/q", "q");
    file_add(q, "/usr/lib/tmpfiles.d/a.conf", "d /run/same 0700 svc\n");
    file_add(q, "/usr/lib/sysusers.d/q.conf", "u q -\nu q2 -\n");
    root_add(&planting, "/usr/bin/q");
    make_packages(&planting);
    file_add(&planting.fixture->packages[1], CONF, "d /run/same 0777\n");
    file_add(&planting.fixture->packages[1], "/usr/lib/sysusers.d/p.conf", "u p -\n");
    CHECK_OK(try_grow(&planting, false), &planting.fixture->err);
    struct tree first = planting.tree;
    CHECK_OK(try_grow(&planting, true), &planting.fixture->err);
    assert_int_equal(first.count, planting.tree.count);
    for (size_t i = 0; i < first.count; i++) {
        assert_string_equal(first.nodes[i].path, planting.tree.nodes[i].path);
        assert_int_equal(first.nodes[i].mode, planting.tree.nodes[i].mode);
        assert_int_equal(first.nodes[i].uid, planting.tree.nodes[i].uid);
    }
    check_node(&first, "/run/same", NODE_DIRECTORY, 0700, 77);
    check_content(&first, "/etc/passwd", (const char *)node_at(&planting.tree, "/etc/passwd")->data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(directories_are_those_that_systemd_tmpfiles_makes),
        TEST(files_and_links_are_those_that_systemd_tmpfiles_makes),
        TEST(copies_are_those_that_systemd_tmpfiles_makes),
        TEST(modes_are_those_that_systemd_tmpfiles_sets),
        TEST(lines_that_reach_out_or_lie_make_nothing),
        TEST(patterns_that_take_too_long_are_refused),
        TEST(lines_of_one_machine_are_left_out_silently),
        TEST(a_named_pipe_is_told),
        TEST(directories_that_yield_have_the_owner_and_mode_of_tmpfiles),
        TEST(specifiers_are_the_systems_directories),
        TEST(the_manifests_entries_stay_and_var_run_is_run),
        TEST(packages_without_files_in_the_image_make_nothing),
        TEST(what_is_made_does_not_depend_on_the_packages_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
