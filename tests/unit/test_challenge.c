/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "registry/challenge.h"

static struct challenge parse(struct arena *arena, const char *first, const char *second)
{
    struct strings headers = {0};
    struct challenge challenge;
    list_add(arena, &headers, first);
    if (second)
        list_add(arena, &headers, second);
    challenge_parse(arena, &headers, &challenge);
    return challenge;
}

static void a_bearer_challenge_gives_realm_service_scope_and_error(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct challenge challenge = parse(&arena,
                                       "Bearer realm=\"https://quay.io/v2/auth?a=b\",service=\"quay.io\","
                                       "scope=\"repository:a/b:pull,push\",error=\"insufficient_scope\"",
                                       NULL);
    assert_int_equal(challenge.scheme, CHALLENGE_BEARER);
    assert_string_equal(challenge.realm, "https://quay.io/v2/auth?a=b");
    assert_string_equal(challenge.service, "quay.io");
    assert_string_equal(challenge.scope, "repository:a/b:pull,push");
    assert_string_equal(challenge.error, "insufficient_scope");
}

static void bearer_is_preferred_wherever_it_stands(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const headers[] = {
        "Basic realm=\"x\", Bearer realm=\"https://t\"", "Bearer realm=\"https://t\" , basic realm=x",
        "Negotiate, Basic realm=\"a,b\",bEARER realm=https://t", "Negotiate abc/d==, Bearer REALM = \"https://t\"",
        ", ,Digest realm=\"x\", nonce=\"Bearer realm=y\", Bearer realm=\"https://t\""};
    static const char *const realms[] = {"https://t", "https://t", NULL, "https://t", "https://t"};
    for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
        struct challenge challenge = parse(&arena, headers[i], NULL);
        if (!realms[i]) /* a bare value cannot hold ':' and '/': the header is broken */
            assert_int_equal(challenge.scheme, CHALLENGE_NONE);
        else
            assert_string_equal(challenge.realm, realms[i]);
    }
    assert_int_equal(parse(&arena, "Basic realm=\"x\"", "Bearer realm=\"https://t\"").scheme, CHALLENGE_BEARER);
}

static void escapes_in_quotes_are_resolved(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct challenge challenge = parse(&arena, "Basic realm=\"a \\\"b\\\" \\\\, Bearer realm=x\"", NULL);
    assert_int_equal(challenge.scheme, CHALLENGE_BASIC);
    assert_string_equal(challenge.realm, "a \"b\" \\, Bearer realm=x");
}

static void other_schemes_alone_are_none(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_int_equal(parse(&arena, "Negotiate", "NTLM TlRMTVNTUAAC=").scheme, CHALLENGE_NONE);
    assert_int_equal(parse(&arena, "Digest realm=\"x\", nonce=\"y\"", NULL).scheme, CHALLENGE_NONE);
    assert_int_equal(parse(&arena, "", NULL).scheme, CHALLENGE_NONE);
}

static void a_bearer_challenge_without_realm_does_not_hide_basic(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    assert_int_equal(parse(&arena, "Bearer service=\"x\", Basic realm=\"y\"", NULL).scheme, CHALLENGE_BASIC);
    assert_int_equal(parse(&arena, "Bearer", NULL).scheme, CHALLENGE_NONE);
    assert_int_equal(parse(&arena, "Basic", NULL).scheme, CHALLENGE_BASIC);
}

static void broken_headers_are_left_out_and_others_still_count(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const char *const broken[] = {
        "Bearer realm=\"https://t",
        "Bearer realm=\"https://t\\",
        "Bearer realm=\"https://t\" service=\"x\"",
        "Bearer realm=\"https://t\",realm=\"https://evil\"",
        "Bearer realm=\"https://t\r\nX: y\"",
        "Bearer realm=\"https://t\001\"",
        "realm=\"https://t\"",
        "Bearer realm=\"https://t\",=x",
        "Bearer realm=\"https://t\",service=",
        "Bearer realm=\"https://t\"x",
        "\"Bearer\" realm=\"https://t\"",
        "Bearer=realm=\"https://t\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        if (parse(&arena, broken[i], NULL).scheme != CHALLENGE_NONE)
            fail_msg("accepted %s", broken[i]);
        assert_int_equal(parse(&arena, broken[i], "Basic realm=\"x\"").scheme, CHALLENGE_BASIC);
    }
}

static void a_megabyte_of_header_is_ignored(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    size_t len = 1 << 20;
    char *header = arena_alloc(&arena, len + 1);
    memset(header, 'a', len);
    memcpy(header, "Bearer realm=\"", strlen("Bearer realm=\""));
    header[len - 1] = '"';
    assert_int_equal(parse(&arena, header, NULL).scheme, CHALLENGE_NONE);
    assert_int_equal(parse(&arena, header, "Basic").scheme, CHALLENGE_BASIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bearer_challenge_gives_realm_service_scope_and_error),
        cmocka_unit_test(bearer_is_preferred_wherever_it_stands),
        cmocka_unit_test(escapes_in_quotes_are_resolved),
        cmocka_unit_test(other_schemes_alone_are_none),
        cmocka_unit_test(a_bearer_challenge_without_realm_does_not_hide_basic),
        cmocka_unit_test(broken_headers_are_left_out_and_others_still_count),
        cmocka_unit_test(a_megabyte_of_header_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
