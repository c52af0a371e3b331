/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "registry/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_full_reference_falls_into_its_parts_and_prints_as_it_was(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct reference reference;
    const char *string = "quay.io:8443/example/net_tools/dhcpd:4.4.3-p1@sha256:" HEX;
    CHECK_OK(reference_parse(&arena, string, true, &reference, &err), &err);
    assert_string_equal(reference.host, "quay.io:8443");
    assert_string_equal(reference.api_host, "quay.io:8443");
    assert_string_equal(reference.repository, "example/net_tools/dhcpd");
    assert_string_equal(reference.tag, "4.4.3-p1");
    assert_true(reference.has_digest);
    assert_string_equal(digest_hex(&reference.digest).chars, HEX);
    assert_string_equal(reference_print(&arena, &reference), string);
}

static void latest_is_the_tag_only_when_it_is_asked_for_and_nothing_else_is_named(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct reference reference;
    CHECK_OK(reference_parse(&arena, "localhost/a", true, &reference, &err), &err);
    assert_string_equal(reference.tag, "latest");
    CHECK_OK(reference_parse(&arena, "localhost/a", false, &reference, &err), &err);
    assert_null(reference.tag);
    CHECK_OK(reference_parse(&arena, "localhost/a@sha256:" HEX, true, &reference, &err), &err);
    assert_null(reference.tag);
}

static void docker_io_is_mapped_to_its_api_and_library(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct reference reference;
    CHECK_OK(reference_parse(&arena, "Index.Docker.io/busybox", true, &reference, &err), &err);
    assert_string_equal(reference.host, "docker.io");
    assert_string_equal(reference.api_host, "registry-1.docker.io");
    assert_string_equal(reference.repository, "library/busybox");
    CHECK_OK(reference_parse(&arena, "docker.io/me/busybox", true, &reference, &err), &err);
    assert_string_equal(reference.repository, "me/busybox");
}

static void hosts_become_lower_case_and_may_be_addresses(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct reference reference;
    CHECK_OK(reference_parse(&arena, "QUAY.io/a", true, &reference, &err), &err);
    assert_string_equal(reference.host, "quay.io");
    CHECK_OK(reference_parse(&arena, "[fe80::A]:5000/a:B", true, &reference, &err), &err);
    assert_string_equal(reference.host, "[fe80::a]:5000");
    assert_string_equal(reference.tag, "B");
    CHECK_OK(reference_parse(&arena, "host:5000/a/b", true, &reference, &err), &err);
    assert_string_equal(reference.host, "host:5000");
}

static void what_is_no_reference_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *string, *part;
    } rows[] = {
        {"", "no host"},
        {"dhcpd", "docker.io/library/dhcpd"},
        {"example/dhcpd", "docker.io/example/dhcpd"},
        {"dhcpd@sha256:" HEX, "no host"},
        {"quay.io/", "repository"},
        {"quay.io//a", "repository"},
        {"quay.io/a/", "repository"},
        {"quay.io/A", "lower case"},
        {"quay.io/a..b", "repository"},
        {"quay.io/a___b", "repository"},
        {"quay.io/a_-b", "repository"},
        {"quay.io/-a", "repository"},
        {"quay.io/a-", "repository"},
        {"quay.io/../a", "repository"},
        {"quay.io/a:", "tag"},
        {"quay.io/a:.b", "tag"},
        {"quay.io/a:b/c", "tag"},
        {"quay.io/a:b:c", "tag"},
        {"quay.io/a@sha512:00", "sha256:"},
        {"quay.io/a@sha256:00", "64 lower-case"},
        {"quay.io/a@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "64 lower-case"},
        {"quay.io:0/a", "host"},
        {"quay.io:65536/a", "host"},
        {"quay.io:/a", "host"},
        {"quay.io:1a/a", "host"},
        {"-quay.io/a", "host"},
        {"quay..io/a", "host"},
        {"quay.io./a", "host"},
        {"qu\nay.io/a", "host"},
        {"[::1/a", "host"},
        {"[::1]x/a", "host"},
        {"[fe80::1%eth0]/a", "host"},
        {"https://quay.io/a", "://"},
        {"docker://quay.io/a", "://"},
        {"quay.io/a b", "repository"},
        {"quay.io/a\r\nX: y", "tag"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct reference reference;
        if (reference_parse(&arena, rows[i].string, true, &reference, &err))
            fail_msg("accepted %s", rows[i].string);
        CHECK_ERR(&err, ERR_USAGE, rows[i].part);
        assert_null(strpbrk(err.text, "\r\n"));
    }
}

static void a_name_without_a_host_is_none_and_the_example_is_of_what_is_done(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct reference reference;
    struct err err = {0};
    assert_true(reference_has_host("quay.io/me/x") && reference_has_host("localhost/x") && reference_has_host("a:1/x"));
    assert_false(reference_has_host("debian") || reference_has_host("me/quay.io/x") || reference_has_host("quay.io"));
    assert_false(reference_parse(&arena, "debian", true, &reference, &err));
    CHECK_ERR(&err, ERR_USAGE, "for example docker.io/library/debian");
    err_clear(&err);
    assert_false(reference_parse(&arena, "me/x", true, &reference, &err));
    CHECK_ERR(&err, ERR_USAGE, "for example docker.io/me/x");
    err_clear(&err);
    assert_false(reference_parse(&arena, "me/x", false, &reference, &err));
    CHECK_ERR(&err, ERR_USAGE, "for example quay.io/me/x");
}

static void a_name_of_256_bytes_is_too_long(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct err err = {0};
    struct reference reference;
    char string[300] = "quay.io/";
    memset(string + strlen(string), 'a', 255 - strlen("quay.io/"));
    CHECK_OK(reference_parse(&arena, string, true, &reference, &err), &err);
    strcat(string, "a");
    assert_false(reference_parse(&arena, string, true, &reference, &err));
    CHECK_ERR(&err, ERR_USAGE, "255");
}

static void a_password_in_a_reference_is_never_repeated(void **state)
{
    (void)state;
    static const char *const strings[] = {"me:canary@quay.io/a", "https://me:canary@quay.io/a", "me:canary@quay.io"};
    for (size_t i = 0; i < ARRAY_COUNT(strings); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct reference reference;
        assert_false(reference_parse(&arena, strings[i], true, &reference, &err));
        CHECK_ERR(&err, ERR_USAGE, "login");
        assert_null(strstr(err.text, "canary"));
    }
}

static void only_this_machine_is_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        bool is_loopback;
    } rows[] = {{"localhost/a", true},
                {"LOCALHOST:5000/a", true},
                {"127.0.0.1:5000/a", true},
                {"127.8.9.10/a", true},
                {"[::1]/a", true},
                {"[0:0:0:0:0:0:0:1]:80/a", true},
                {"quay.io/a", false},
                {"127.0.0.1.quay.io/a", false},
                {"localhost.quay.io/a", false},
                {"128.0.0.1/a", false},
                {"127.1:5000/a", false},
                {"[::2]/a", false},
                {"[fe80::1]:80/a", false},
                {"10.0.0.1/a", false}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct err err = {0};
        struct reference reference;
        CHECK_OK(reference_parse(&arena, rows[i].string, true, &reference, &err), &err);
        if (reference_is_loopback(&reference) != rows[i].is_loopback)
            fail_msg("%s", rows[i].string);
    }
    struct reference broken = {.host = "[::1", .repository = "a"};
    assert_false(reference_is_loopback(&broken));
}

static void tags_follow_the_grammar_of_the_distribution_spec(void **state)
{
    (void)state;
    char longest[130] = {0};
    memset(longest, 'a', 128);
    assert_true(reference_is_tag(longest));
    assert_true(reference_is_tag("_A.b-9"));
    longest[128] = 'a';
    assert_false(reference_is_tag(longest));
    assert_false(reference_is_tag(""));
    assert_false(reference_is_tag("-a"));
    assert_false(reference_is_tag("a+b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_reference_falls_into_its_parts_and_prints_as_it_was),
        cmocka_unit_test(latest_is_the_tag_only_when_it_is_asked_for_and_nothing_else_is_named),
        cmocka_unit_test(docker_io_is_mapped_to_its_api_and_library),
        cmocka_unit_test(hosts_become_lower_case_and_may_be_addresses),
        cmocka_unit_test(what_is_no_reference_is_refused_with_the_reason),
        cmocka_unit_test(a_name_without_a_host_is_none_and_the_example_is_of_what_is_done),
        cmocka_unit_test(a_name_of_256_bytes_is_too_long),
        cmocka_unit_test(a_password_in_a_reference_is_never_repeated),
        cmocka_unit_test(only_this_machine_is_loopback),
        cmocka_unit_test(tags_follow_the_grammar_of_the_distribution_spec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
