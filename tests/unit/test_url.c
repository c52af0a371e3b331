/* SPDX-License-Identifier: Apache-2.0 */
/* %XX in URLs, and what HTTP statuses mean */
#include "base/url.h"
#include "check.h"
#include "io/http_status.h"

static struct arena arena;

static void a_value_keeps_only_unreserved_bytes(void **state)
{
    (void)state;
    assert_string_equal(url_encode(&arena, "aZ09-._~"), "aZ09-._~");
    assert_string_equal(url_encode(&arena, "repository:a/b:pull,push x&y=%\xc3\xa4"),
                        "repository%3Aa%2Fb%3Apull%2Cpush%20x%26y%3D%25%C3%A4");
    assert_string_equal(url_encode(&arena, ""), "");
}

static void a_path_keeps_its_slashes_and_a_tilde(void **state)
{
    (void)state;
    assert_string_equal(url_escape(&arena, "/pool/l/lib+x_1~rc:1.deb", URL_SPECIAL), "/pool/l/lib+x_1~rc:1.deb");
    assert_string_equal(url_escape(&arena, "a b%20?c#{d}\x7f\xc3", URL_SPECIAL), "a%20b%2520%3Fc%23%7Bd%7D%7F%C3");
    assert_string_equal(url_escape(&arena, "{a}", "%"), "{a}");
}

static void what_is_escaped_already_stays(void **state)
{
    (void)state;
    char byte;
    assert_string_equal(url_escape_rest(&arena, "a%2fb%zz c", URL_SPECIAL), "a%2fb%25zz%20c");
    assert_true(url_read_escape(text_of("%2Fx"), &byte) && byte == '/');
    assert_false(url_read_escape(text_of("%2"), &byte));
    assert_false(url_read_escape(text_of("%g0"), &byte));
    assert_false(url_read_escape(text_of("2f"), &byte));
}

static void what_may_pass_is_told_from_what_stays(void **state)
{
    (void)state;
    static const int passing[] = {408, 425, 429, 499, 500, 502, 503, 504, 520, 524, 530, 599};
    static const int staying[] = {0, 200, 206, 304, 400, 401, 403, 404, 405, 409, 412, 413, 501, 505, 507, 511, 600};
    for (size_t i = 0; i < ARRAY_COUNT(passing); i++)
        assert_true(http_status_is_transient(passing[i]));
    for (size_t i = 0; i < ARRAY_COUNT(staying); i++)
        assert_false(http_status_is_transient(staying[i]));
    assert_true(http_status_is_absent(404) && http_status_is_absent(410) && !http_status_is_absent(403));
    assert_true(http_status_is_denied(401) && http_status_is_denied(403) && !http_status_is_denied(404));
    assert_true(http_status_is_redirect(307) && !http_status_is_redirect(304));
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_keeps_only_unreserved_bytes),
        cmocka_unit_test(a_path_keeps_its_slashes_and_a_tilde),
        cmocka_unit_test(what_is_escaped_already_stays),
        cmocka_unit_test(what_may_pass_is_told_from_what_stays),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
