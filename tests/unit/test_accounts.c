/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of sysusers.d in images: systemd-sysusers makes the same accounts; hostile lines make none. */
#include "planting.h"

#include <sys/stat.h>

#define CONF "/usr/lib/sysusers.d/p.conf"

/* Grows an image of a package that has a program and these lines. */
static const struct tree *grow_with(struct planting *planting, const char *lines)
{
    struct package *package = package_add(planting->fixture, "p");
    file_add(package, "/usr/bin/p", "program");
    file_add(package, CONF, lines);
    root_add(planting, "/usr/bin/p");
    return grow(planting);
}

static const char *text_at(struct planting *planting, const struct tree *tree, const char *path)
{
    const struct node *node = node_at(tree, path);
    return node ? arena_strndup(&planting->fixture->arena, node->data, (size_t)node->size_bytes) : "";
}

static void check_line(struct planting *planting, const struct tree *tree, const char *path, const char *line)
{
    const char *text = arena_printf(&planting->fixture->arena, "\n%s", text_at(planting, tree, path));
    if (!strstr(text, arena_printf(&planting->fixture->arena, "\n%s\n", line)))
        fail_msg("no line %s in %s:%s", line, path, text);
}

static void write_file(struct arena *arena, const char *dir, const char *path, const char *text)
{
    const char *full = arena_printf(arena, "%s%s", dir, path);
    char *parent = arena_strdup(arena, full);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(system(arena_printf(arena, "mkdir -p '%s'", parent)), 0);
    FILE *file = fopen(full, "we");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Compares with what systemd-sysusers makes of the same lines in a root directory that has the manifest's accounts. */
static void judge(struct planting *planting, const char *lines)
{
    static const char *const files[] = {"/etc/passwd", "/etc/group"};
    struct arena *arena = &planting->fixture->arena;
    const struct tree *tree = grow_with(planting, lines);
    if (system("command -v systemd-sysusers >/dev/null") != 0)
        skip();
    const char *dir = check_temporary_dir(), *judged = arena_printf(arena, "%s/judged", dir);
    write_file(arena, judged, "/etc/passwd", ROOT_LINE "mine:x:998:998::/nonexistent:/usr/sbin/nologin\n" DEB_NOBODY);
    write_file(arena, judged, "/etc/group", "root:x:0:\nmine:x:998:\n" DEB_NOGROUP);
    write_file(arena, judged, CONF, lines);
    /* its status tells of lines that it refuses: the others are applied all the same */
    assert_int_not_equal(system(arena_printf(arena, "systemd-sysusers --root='%s' 2>'%s/said'", judged, dir)), -1);
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        write_file(arena, dir, "/ours", text_at(planting, tree, files[i]));
        const char *command = arena_printf(
            arena, "cd '%s' && sort ours >a && sort 'judged%s' >b && diff a b || { cat said; exit 1; }", dir, files[i]);
        assert_int_equal(system(command), 0);
    }
    assert_int_equal(system(arena_printf(arena, "rm -rf '%s'", dir)), 0);
}

static struct planting plant_mine(void **state)
{
    struct planting planting = plant(*state);
    struct wish_user mine = {.name = "mine", .uid = 998, .group = "mine"};
    list_add(&planting.fixture->arena, &planting.wishes.users, mine);
    list_add(&planting.fixture->arena, &planting.wishes.groups, (struct wish_group){.name = "mine", .gid = 998});
    return planting;
}

static void open_numbers_are_those_that_systemd_sysusers_gives(void **state)
{
    struct planting planting = plant_mine(state);
    judge(&planting, "# a comment\n\nu one - \"The \\\"first\\\" one\" /var/lib/one /bin/sh\nu two -\ng three -\n"
                     "u four - 'Fourth' -\nu mine - \"is there\"\n");
}

static void fixed_numbers_and_groups_are_as_systemd_sysusers_has_them(void **state)
{
    struct planting planting = plant_mine(state);
    judge(&planting, "g wheel 10\nu a 25 \"A\"\nu b 27:10 \"B\" /b\nu c 28:wheel\nu d -:wheel\ng a -\nu e 25\nu f 998\n"
                     "g g 25\nu h 60123 \"%% h\"\n");
}

static void members_bring_their_accounts_as_with_systemd_sysusers(void **state)
{
    struct planting planting = plant_mine(state);
    judge(&planting, "m newuser newgroup\nm mine newgroup\nu third -\nm third newgroup\nm third tty\ng tty 5\n");
}

static void ranges_bound_the_numbers_as_with_systemd_sysusers(void **state)
{
    struct planting planting = plant_mine(state);
    judge(&planting, "r - 500-502\nu a -\nu b -\nr - 310\nu c -\nu d -\n");
}

static void lines_that_would_forge_accounts_make_none(void **state)
{
    static const char *const lines[] = {"u evil:x:0:0 -",
                                        "u root2 0\\x0a",
                                        "u evil -1",
                                        "u evil 4294967295",
                                        "u evil 65535",
                                        "u evil 99999999999999999999",
                                        "u evil - \"a:b\"",
                                        "u evil - - home",
                                        "u evil - - /a:b",
                                        "u evil - \"not closed",
                                        "u evil - - / /bin/sh more",
                                        "u evil 1:a:b",
                                        "u -evil -",
                                        "u ../evil -",
                                        "u %m -",
                                        "u",
                                        "x evil -",
                                        "uu evil -",
                                        "g evil - description",
                                        "m evil",
                                        "m evil a,b",
                                        "r evil 1-2",
                                        "r - 2-1",
                                        "u evilevilevilevilevilevilevilevile -",
                                        "u evil \\"};
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        assert_int_equal(fixture_stop(state), 0);
        assert_int_equal(fixture_start(state), 0);
        struct planting planting = plant(*state);
        const struct tree *tree = grow_with(&planting, arena_printf(&planting.fixture->arena, "%s\n", lines[i]));
        check_content(tree, "/etc/passwd", ROOT_LINE DEB_NOBODY);
        check_content(tree, "/etc/group", "root:x:0:\n" DEB_NOGROUP);
        if (!has_note(tree, "package p: " CONF ":1: "))
            fail_msg("%s was passed over without a note", lines[i]);
    }
}

static void too_many_and_too_long_lines_are_left_out(void **state)
{
    struct planting planting = plant(*state);
    struct arena *arena = &planting.fixture->arena;
    char *text = arena_alloc(arena, 200000);
    size_t len = (size_t)sprintf(text, "u ok 150\n# %09000d\nu long - %09000d\n", 0, 0);
    for (int i = 0; i < 5000; i++)
        len += (size_t)sprintf(text + len, "g g%d -\n", i);
    const struct tree *tree = grow_with(&planting, text);
    check_line(&planting, tree, "/etc/passwd", "ok:x:150:150::/:/usr/sbin/nologin");
    assert_true(has_note(tree, "at most 8192 bytes"));
    assert_true(has_note(tree, "more than 4000 lines"));
    assert_true(has_note(tree, "no number is left"));
}

static void changed_bytes_of_a_list_are_not_believed(void **state)
{
    struct planting planting = plant(*state);
    struct package *package = package_add(*state, "p");
    file_add(package, "/usr/bin/p", "program");
    struct entry *conf = file_add(package, CONF, "u a -\n");
    conf->data = "u b -\n";
    root_add(&planting, "/usr/bin/p");
    check_error(&planting, ERR_TRUST, CONF);
}

static void only_packages_that_gave_files_bring_accounts(void **state)
{
    struct planting planting = plant(*state);
    struct package *other = package_add(*state, "other"), *system = package_add(*state, "systemd");
    file_add(other, "/usr/lib/sysusers.d/other.conf", "u other -\n");
    file_add(system, "/usr/lib/sysusers.d/basic.conf", "u everything -\n");
    file_add(system, "/usr/bin/s", "s");
    root_add(&planting, "/usr/bin/s");
    const struct tree *tree = grow_with(&planting, "u mine 300\n");
    check_content(tree, "/etc/passwd", ROOT_LINE "mine:x:300:300::/:/usr/sbin/nologin\n" DEB_NOBODY);
    check_content(tree, "/etc/group", "root:x:0:\nmine:x:300:\n" DEB_NOGROUP);
    assert_int_equal(tree->notes.count, 0);
}

static void the_manifests_accounts_hold_against_a_packages(void **state)
{
    struct planting planting = plant_mine(state);
    const struct tree *tree = grow_with(&planting, "u mine 20 \"Theirs\" /theirs\nu next 998\n");
    check_line(&planting, tree, "/etc/passwd", "mine:x:998:998::/nonexistent:/usr/sbin/nologin");
    check_line(&planting, tree, "/etc/passwd", "next:x:999:999::/:/usr/sbin/nologin");
    assert_true(has_note(tree, "user number 998 is taken already"));
}

static void an_id_may_be_that_of_a_files_owner(void **state)
{
    struct planting planting = plant(*state);
    struct package *package = package_add(*state, "q");
    struct entry *file = file_add(package, "/usr/bin/q", "q");
    file->uid = 321;
    file->gid = 654;
    root_add(&planting, "/usr/bin/q");
    const struct tree *tree = grow_with(&planting, "u q /usr/bin/q\nu none /usr/bin/none\n");
    check_line(&planting, tree, "/etc/passwd", "q:x:321:654::/:/usr/sbin/nologin");
    check_line(&planting, tree, "/etc/passwd", "none:x:999:999::/:/usr/sbin/nologin");
}

static void a_primary_group_may_be_one_that_the_distribution_lists(void **state)
{
    struct planting planting = plant(*state);
    struct package *base = package_add(*state, "base-passwd");
    file_add(base, "/usr/share/base-passwd/group.master", "root:x:0:\nmail:x:12:\n");
    planting.is_partial = true;
    const struct tree *tree = grow_with(&planting, "u! sshd -:nogroup \"sshd user\"\nu post 44:mail\nu bad 45:gone\n");
    check_line(&planting, tree, "/etc/passwd", "sshd:x:999:65534:sshd user:/:/usr/sbin/nologin");
    check_line(&planting, tree, "/etc/passwd", "post:x:44:12::/:/usr/sbin/nologin");
    check_content(tree, "/etc/group", "root:x:0:\nnogroup:x:65534:\nmail:x:12:\n");
    assert_true(has_note(tree, "the user bad cannot be made: its group is not there"));
    assert_true(tree->wants_all); /* others may list it */
}

static void a_passwd_of_the_manifest_stays_and_what_it_lacks_is_said(void **state)
{
    struct planting planting = plant(*state);
    made_add(&planting, MADE_FILE, "/etc/passwd")->content = "root:x:0:0::/:\nhere:x:7:7::/:\n";
    made_add(&planting, MADE_FILE, "/etc/group")->content = "root:x:0:\nhere:x:7:\n";
    const struct tree *tree = grow_with(&planting, "u here -\nu gone 44\n");
    check_content(tree, "/etc/passwd", "root:x:0:0::/:\nhere:x:7:7::/:\n");
    assert_true(has_note(tree, "/etc/passwd has no line for gone (44)"));
    assert_true(has_note(tree, "/etc/group has no line for gone (44)"));
    assert_false(has_note(tree, "for here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_numbers_are_those_that_systemd_sysusers_gives),
        TEST(fixed_numbers_and_groups_are_as_systemd_sysusers_has_them),
        TEST(members_bring_their_accounts_as_with_systemd_sysusers),
        TEST(ranges_bound_the_numbers_as_with_systemd_sysusers),
        TEST(lines_that_would_forge_accounts_make_none),
        TEST(too_many_and_too_long_lines_are_left_out),
        TEST(changed_bytes_of_a_list_are_not_believed),
        TEST(only_packages_that_gave_files_bring_accounts),
        TEST(the_manifests_accounts_hold_against_a_packages),
        TEST(an_id_may_be_that_of_a_files_owner),
        TEST(a_primary_group_may_be_one_that_the_distribution_lists),
        TEST(a_passwd_of_the_manifest_stays_and_what_it_lacks_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
