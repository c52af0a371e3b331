/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of line/names_exec: which programs a service names. */
#include "packages.h"

#include "base/auto.h"
#include "line/names_exec.h"

/* The paths of a unit with that [Service], and what a drop-in adds (NULL: none). */
static const char *of_unit(struct fixture *fixture, const char *service, const char *more)
{
    struct package *package = package_add(fixture, "x");
    file_add(package, UNIT_DIR "/x.service", service);
    if (more)
        file_add(package, UNIT_DIR "/x.service.d/more.conf", more);
    set_build(fixture, false);
    struct packaged packaged = {&fixture->set, fixture->set.packages, fixture->set.package_count};
    const struct packaged_file *file = packaged_find(&fixture->arena, &packaged, UNIT_DIR "/x.service");
    struct unit_file unit;
    CHECK_OK(unit_file_read(&fixture->arena, &packaged, file, "x.service", &unit, &fixture->err), &fixture->err);
    struct strings paths = {0};
    names_exec_of_unit(&fixture->arena, &unit, &paths);
    fixture->package_count = 0;
    return paths.count ? strings_join(&fixture->arena, &paths, " ") : "";
}

static void commands_of_units_name_programs(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *service, *more, *paths;
    } cases[] = {
        {"[Service]\nExecStart=/usr/sbin/nsd -d $OPTIONS\n", NULL, "/usr/sbin/nsd"},
        {"[Service]\nExecStart=@-!/sbin/x x \"/etc/x.conf\" '/a b'\n", NULL, "/usr/sbin/x /etc/x.conf /a"},
        {"[Service]\nExecStartPre=/usr/bin/mkdir "
         "x\nExecStart=/usr/bin/w\nExecStart=\nExecStart=/usr/bin/x\nExecStop=/y\n",
         NULL, "/usr/bin/x"},
        {"[Service]\nExecStart=/usr/bin/a \\\n  /usr/bin/b \\\n /usr/bin/c\nUser=x\n", NULL,
         "/usr/bin/a /usr/bin/b /usr/bin/c"},
        {"[Service]\nExecStart=/bin/sh -c \"VAR=`/usr/bin/first`; exec /usr/sbin/real $VAR\"\n", NULL,
         "/usr/sbin/real /usr/bin/sh"},
        {"[Service]\nExecStart=/usr/../../etc/x /usr/bin/x /usr/bin/x\n", NULL, "/usr/bin/x"},
        {"[Service]\nExecStart=sleep 1\nXExecStart=/usr/bin/x\n", NULL, ""},
        {"[Unit]\nExecStart=/usr/bin/x\n", NULL, ""},
        {"[Service]\nExecStart=/usr/bin/old\n", "[Service]\nExecStart=\nExecStart=/usr/bin/new\n", "/usr/bin/new"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(of_unit(fixture, cases[i].service, cases[i].more), cases[i].paths);
}

static void scripts_name_their_daemon(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *script, *paths;
    } cases[] = {{"#!/bin/sh\nDAEMON=/usr/sbin/exim4\nPATH=/sbin:/bin\n", "/usr/sbin/exim4"},
                 {"DAEMON=\"/usr/sbin/x\"", "/usr/sbin/x"},
                 {"XDAEMON=/usr/sbin/x\nDAEMON=\nDAEMON", ""}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct strings paths = {0};
        names_exec_of_script(&fixture->arena, text_of(cases[i].script), &paths);
        assert_string_equal(paths.count ? strings_join(&fixture->arena, &paths, " ") : "", cases[i].paths);
    }
}

static void very_many_words_give_a_few_paths(void **state)
{
    struct fixture *fixture = *state;
    AUTO(buf_done) struct buf text;
    buf_init(&text, 1 << 24);
    assert_true(buf_add(&text, "DAEMON=", 7));
    for (int i = 0; i < 200000; i++)
        assert_true(buf_printf(&text, "exec /usr/bin/%d ", i));
    struct strings paths = {0};
    names_exec_of_script(&fixture->arena, buf_text(&text), &paths);
    assert_int_equal(paths.count, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commands_of_units_name_programs),
        TEST(scripts_name_their_daemon),
        TEST(very_many_words_give_a_few_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
