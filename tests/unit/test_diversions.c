/* SPDX-License-Identifier: Apache-2.0 */
/* dpkg-divert: which commands are read, and what other packages' files are called then. */
#include "check.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "effect/diversions.h"

/* "PATH TO PACKAGE [-] [renamed]" of a command, or "none". */
static const char *diversion_of(struct arena *arena, const char *script)
{
    struct shell_commands commands;
    struct diversion diversion;
    shell_commands_list(arena, script, &commands);
    assert_int_equal(commands.count, 1);
    if (!diversion_parse(arena, "me", &commands.items[0], &diversion))
        return "none";
    return arena_printf(arena, "%s %s %s%s%s%s", diversion.path, diversion.to,
                        diversion.package ? diversion.package : ":", diversion.is_removal ? " -" : "",
                        diversion.is_renamed ? " renamed" : "", diversion.is_guard ? " guard" : "");
}

static void commands_are_read_as_dpkg_divert_reads_them(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *command, *wanted;
    } cases[] = {
        {"dpkg-divert --package p --add --rename --divert /a.x /a", "/a /a.x p renamed"},
        {"dpkg-divert --package=p --divert=/a.x /a", "/a /a.x p"},
        {"/usr/sbin/dpkg-divert --quiet --rename /bin/a", "/usr/bin/a /usr/bin/a.distrib me renamed"},
        {"dpkg-divert --local --rename --no-rename --add /a", "/a /a.distrib :"},
        {"dpkg-divert --remove --package p /a", "/a /a.distrib p -"},
        {"dpkg-divert --no-rename --divert /lib64/ld.so.2.usr-is-merged /lib64/ld.so.2",
         "/usr/lib64/ld.so.2 /usr/lib64/ld.so.2.usr-is-merged me guard"},
        {"dpkg-divert --package base-files --no-rename --divert /.lib64.usr-is-merged /lib64",
         "/usr/lib64 /.lib64.usr-is-merged base-files guard"},
        {"dpkg-divert --no-rename --divert /usr/lib/x.usr-is-merged /usr/lib/x",
         "/usr/lib/x /usr/lib/x.usr-is-merged me"},
        {"dpkg-divert --add $file", "none"},
        {"dpkg-divert --divert \"$x\" --add /a", "none"},
        {"dpkg-divert --truename /a", "none"},
        {"dpkg-divert --list", "none"},
        {"dpkg-divert --add a", "none"},
        {"dpkg-divert --divert /a --add /a", "none"},
        {"dpkg-divert --add /a /b", "none"},
        {"dpkg-divert", "none"},
        {"dpkg-query --add /a", "none"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(diversion_of(&arena, cases[i].command), cases[i].wanted);
}

static struct package *make(struct arena *arena, const char *name, const char *preinst, const char *const *paths,
                            size_t count)
{
    struct package *package = arena_new(arena, struct package);
    *package = (struct package){.format = &format_deb, .name = name, .version = "1", .architecture = "amd64"};
    package->entries = arena_new_array(arena, struct entry, count);
    package->count = count;
    for (size_t i = 0; i < count; i++)
        package->entries[i] = (struct entry){.path = paths[i], .kind = ENTRY_FILE, .data = ""};
    list_add(arena, &package->scripts, ((struct package_script){"preinst", preinst}));
    return package;
}

static const char *paths_of(struct arena *arena, const struct package *package)
{
    struct strings paths = {0};
    for (size_t i = 0; i < package->count; i++)
        list_add(arena, &paths, package->entries[i].path);
    return strings_join(arena, &paths, " ");
}

static void files_of_others_are_moved_and_those_of_the_one_that_diverts_stay(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const two[] = {"/usr/bin/a", "/usr/bin/b"}, *const taken[] = {"/usr/bin/a", "/usr/bin/a.x"};
    struct package *other = make(&arena, "other", "", two, 2), *third = make(&arena, "third", "", taken, 2);
    struct package *own =
        make(&arena, "own",
             "if [ \"$1\" = install ]; then dpkg-divert --rename --divert /usr/bin/a.x --add /bin/a; fi\n"
             "dpkg-divert --rename /usr/bin/b\ndpkg-divert --remove /usr/bin/b\n"
             "if [ -e /unknown/$x ]; then dpkg-divert --rename /usr/bin/b; fi\n",
             two, 2);
    other->entries[1].kind = ENTRY_HARDLINK;
    other->entries[1].target = "/usr/bin/a";
    const struct package *packages[] = {other, NULL, own, third};
    diversions_apply(&arena, packages, ARRAY_COUNT(packages));
    assert_string_equal(paths_of(&arena, packages[0]), "/usr/bin/a.x /usr/bin/b");
    assert_string_equal(packages[0]->entries[1].target, "/usr/bin/a.x");
    assert_ptr_equal(packages[2], own);
    assert_ptr_equal(packages[3], third); /* it has both names */
    assert_string_equal(paths_of(&arena, other), "/usr/bin/a /usr/bin/b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_read_as_dpkg_divert_reads_them),
        cmocka_unit_test(files_of_others_are_moved_and_those_of_the_one_that_diverts_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
