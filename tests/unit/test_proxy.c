/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs go through which proxy of the environment. */
#include "check.h"

#include "base/auto.h"
#include "io/proxy.h"

static const char *const names[] = {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",   "all_proxy",
                                    "ALL_PROXY",  "no_proxy",   "NO_PROXY",    "REQUEST_METHOD"};

static void clear(void)
{
    for (size_t i = 0; i < ARRAY_COUNT(names); i++)
        unsetenv(names[i]);
}

/* The proxy of a URL, or "-". `environment` is "NAME=VALUE;NAME=VALUE". */
static void check_proxy(const char *environment, const char *url, const char *expected)
{
    AUTO(arena_done) struct arena arena = {0};
    struct proxies proxies;
    struct text rest = text_of(environment), pair, name;
    clear();
    while (text_next(&rest, ';', &pair)) {
        (void)text_next(&pair, '=', &name);
        setenv(text_dup(&arena, name), text_dup(&arena, pair), 1);
    }
    proxies_read(&proxies);
    const char *proxy = proxy_for(&proxies, url);
    if (strcmp(proxy ? proxy : "-", expected) != 0)
        fail_msg("%s under %s: %s, not %s", url, environment, proxy ? proxy : "-", expected);
    proxies_done(&proxies);
    clear();
}

static void variables_are_read_in_either_case_and_the_lower_wins(void **state)
{
    (void)state;
    check_proxy("", "http://a.example/", "-");
    check_proxy("http_proxy=p", "http://a.example/", "p");
    check_proxy("HTTP_PROXY=q", "http://a.example/", "q");
    check_proxy("http_proxy=p;HTTP_PROXY=q", "http://a.example/", "p");
    check_proxy("http_proxy=;HTTP_PROXY=q", "http://a.example/", "q");
    check_proxy("HTTP_PROXY=q;REQUEST_METHOD=GET", "http://a.example/", "-");
    check_proxy("http_proxy=p", "https://a.example/", "-");
    check_proxy("https_proxy=s", "https://a.example/", "s");
    check_proxy("HTTPS_PROXY=s", "HTTPS://a.example/", "s");
    check_proxy("all_proxy=socks5h://x", "https://a.example/", "socks5h://x");
    check_proxy("ALL_PROXY=socks5h://x", "http://a.example/", "socks5h://x");
    check_proxy("ALL_PROXY=x;http_proxy=p", "http://a.example/", "p");
    check_proxy("ALL_PROXY=x", "file:///etc/passwd", "-");
}

static void loopback_is_never_proxied(void **state)
{
    (void)state;
    static const char *const hosts[] = {"localhost",  "LOCALHOST", "localhost.",        "a.localhost",
                                        "127.0.0.1",  "127.1",     "127.9.9.9",         "0x7f000001",
                                        "2130706433", "[::1]",     "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"};
    static const char *const others[] = {"localhost.example", "notlocalhost",     "128.0.0.1", "10.0.0.1", "[::2]",
                                         "127.0.0.1.example", "[::ffff:10.0.0.1]"};
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_COUNT(hosts); i++) {
        check_proxy("all_proxy=p", arena_printf(&arena, "http://%s/", hosts[i]), "-");
        check_proxy("all_proxy=p;no_proxy=x", arena_printf(&arena, "http://u:p@%s:5000/v2/", hosts[i]), "-");
        check_proxy("all_proxy=p", arena_printf(&arena, "https://%s:5000", hosts[i]), "-");
    }
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        check_proxy("all_proxy=p", arena_printf(&arena, "http://%s:5000/", others[i]), "p");
    check_proxy("all_proxy=p", "http://localhost@evil.example/", "p");
    check_proxy("all_proxy=p", "http://evil.example/@localhost", "p");
    check_proxy("all_proxy=p", "http://evil.example?@localhost", "p");
}

static void the_usual_forms_of_no_proxy(void **state)
{
    (void)state;
    static const struct {
        const char *entries, *url;
        bool is_proxied;
    } cases[] = {
        {"*", "http://a.example/", false},
        {"x, *", "https://a.example/", false},
        {"a.example", "http://a.example/", false},
        {"a.example", "http://A.Example./", false},
        {"A.EXAMPLE.", "http://a.example/", false},
        {"a.example", "http://b.a.example:81/", false},
        {"a.example", "http://ba.example/", true},
        {"a.example", "http://a.example.org/", true},
        {".a.example", "http://a.example/", false},
        {".a.example", "http://b.a.example/", false},
        {".a.example", "http://ba.example/", true},
        {"*.a.example", "http://b.a.example/", false},
        {"*.a.example", "http://a.example/", true},
        {"x a.example\ty", "http://a.example/", false},
        {"x,,a.example,", "http://a.example/", false},
        {"a.example:5000", "http://a.example:5000/v2/", false},
        {"a.example:5000", "http://b.a.example:5000/v2/", false},
        {"a.example:5000", "http://a.example/v2/", true},
        {"a.example:5000", "http://a.example:5001/v2/", true},
        {"a.example:80", "http://a.example/", false},
        {"a.example:443", "https://a.example/", false},
        {"a.example:443", "http://a.example/", true},
        {"*.a.example:8443", "https://b.a.example:8443/", false},
        {"a.example:70000", "http://a.example/", true},
        {":5000", "http://a.example:5000/", true},
        {"10.1.2.3", "http://10.1.2.3/", false},
        {"10.1.2.3", "http://10.1.2.30/", true},
        {"10.1.2.3:5000", "http://10.1.2.3:5000/", false},
        {"10.1.2.3:5000", "http://10.1.2.3/", true},
        {"10.0.0.0/8", "http://10.200.0.1:5000/", false},
        {"10.0.0.0/8", "http://11.0.0.1/", true},
        {"10.1.2.128/25", "http://10.1.2.200/", false},
        {"10.1.2.128/25", "http://10.1.2.100/", true},
        {"0.0.0.0/0", "http://10.1.2.100/", false},
        {"0.0.0.0/0", "http://[fd00::1]/", true},
        {"10.0.0.0/33", "http://10.0.0.0/", true},
        {"10.0.0.0/x", "http://10.0.0.0/", true},
        {"example/8", "http://example/", true},
        {"fd00::/8", "http://[fd12::1]:5000/", false},
        {"fd00::/8", "http://[fe80::1]/", true},
        {"::2", "http://[::2]/", false},
        {"[::2]", "http://[::2]:5000/", false},
        {"[::2]:5000", "http://[::2]:5000/", false},
        {"[::2]:5000", "http://[::2]:5001/", true},
        {"3.4", "http://1.2.3.4/", true},
        {"2.3.4", "http://1.2.3.4/", true},
    };
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *expected = cases[i].is_proxied ? "p" : "-";
        check_proxy(arena_printf(&arena, "all_proxy=p;no_proxy=%s", cases[i].entries), cases[i].url, expected);
        check_proxy(arena_printf(&arena, "ALL_PROXY=p;NO_PROXY=%s", cases[i].entries), cases[i].url, expected);
    }
    check_proxy("all_proxy=p;no_proxy=b.example;NO_PROXY=a.example", "http://a.example/", "p");
    check_proxy("all_proxy=p;no_proxy=;NO_PROXY=a.example", "http://a.example/", "-");
}

static void a_proxy_of_this_machine_is_told_from_another(void **state)
{
    (void)state;
    static const char *const here[] = {"localhost:3128", "http://127.0.0.1:3128", "socks5h://u:p@[::1]:1080/",
                                       "http://a:b@localhost"};
    static const char *const elsewhere[] = {"proxy.example:3128", "http://10.0.0.1:3128", "socks5://10.0.0.1",
                                            "http://localhost@proxy.example:1", "http://localhost:x@10.0.0.1/"};
    for (size_t i = 0; i < ARRAY_COUNT(here); i++)
        assert_false(proxy_is_elsewhere(here[i]));
    for (size_t i = 0; i < ARRAY_COUNT(elsewhere); i++)
        assert_true(proxy_is_elsewhere(elsewhere[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_read_in_either_case_and_the_lower_wins),
        cmocka_unit_test(loopback_is_never_proxied),
        cmocka_unit_test(the_usual_forms_of_no_proxy),
        cmocka_unit_test(a_proxy_of_this_machine_is_told_from_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
