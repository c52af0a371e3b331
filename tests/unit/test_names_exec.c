#include "check.h"

#include "base/auto.h"
#include "line/names_exec.h"

static const char *list(struct arena *arena, const char *service)
{
    struct strings paths = {0};
    names_exec_list(arena, text_of(service), &paths);
    return paths.count ? strings_join(arena, &paths, " ") : "";
}

static void test_commands_of_units_and_scripts_name_programs(void **state)
{
    (void)state;
    static const struct {
        const char *service, *paths;
    } cases[] = {
        {"[Service]\nExecStart=/usr/sbin/nsd -d $OPTIONS\n", "/usr/sbin/nsd"},
        {"ExecStart=@-!/sbin/x x \"/etc/x.conf\" '/a b'\n", "/usr/sbin/x /etc/x.conf /a"},
        {"ExecStartPre=/usr/bin/mkdir x\nExecStart=\nExecStart=/usr/bin/x\nExecStop=/usr/bin/y\n", "/usr/bin/x"},
        {"ExecStart=/usr/bin/a \\\n  /usr/bin/b \\\n /usr/bin/c\nUser=x", "/usr/bin/a /usr/bin/b /usr/bin/c"},
        {"ExecStart=/bin/sh -c \"VAR=`/usr/bin/first`; exec /usr/sbin/real $VAR\"", "/usr/sbin/real /usr/bin/sh"},
        {"#!/bin/sh\nDAEMON=/usr/sbin/exim4\nPATH=/sbin:/bin\n", "/usr/sbin/exim4"},
        {"DAEMON=\"/usr/sbin/x\"", "/usr/sbin/x"},
        {"ExecStart=/usr/../../etc/x /usr/bin/x /usr/bin/x\n", "/usr/bin/x"},
        {"ExecStart=sleep 1\nXExecStart=/usr/bin/x\n", ""},
        {"", ""},
        {"ExecStart=\\", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct arena arena = {0};
        assert_string_equal(list(&arena, cases[i].service), cases[i].paths);
        arena_done(&arena);
    }
}

static void test_very_many_words_give_a_few_paths(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text;
    buf_init(&text, 1 << 24);
    assert_true(buf_add(&text, "ExecStart=", 10));
    for (int i = 0; i < 200000; i++)
        assert_true(buf_printf(&text, "exec /usr/bin/%d ", i));
    struct strings paths = {0};
    names_exec_list(&arena, buf_text(&text), &paths);
    assert_int_equal(paths.count, 16);
}

static void test_jobs_are_told(void **state)
{
    (void)state;
    assert_true(names_exec_is_job(TEXT("[Service]\n Type=oneshot \n")));
    assert_false(names_exec_is_job(TEXT("[Service]\nType=notify\n#Type=oneshot\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_of_units_and_scripts_name_programs),
        cmocka_unit_test(test_very_many_words_give_a_few_paths),
        cmocka_unit_test(test_jobs_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
