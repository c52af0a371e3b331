/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/list.h"
#include "io/address.h"
#include "io/http.h"

static void addresses_inside_are_known_in_every_spelling(void **state)
{
    (void)state;
    static const char *const inside[] = {
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "[::1]",
        "::1",
        "[::]",
        "[fe80::1]",
        "[fe80::1%eth0]",
        "[fd00::1]",
        "[fc00::1]",
        "[fec0::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[::10.0.0.1]",
    };
    static const char *const outside[] = {"8.8.8.8",
                                          "172.32.0.1",
                                          "172.15.0.1",
                                          "192.169.0.1",
                                          "169.253.0.1",
                                          "100.128.0.1",
                                          "11.0.0.1",
                                          "example.org",
                                          "localhost.example.org",
                                          "notlocalhost",
                                          "[2001:db8::1]",
                                          "[::ffff:8.8.8.8]",
                                          "[64:ff9b::808:808]",
                                          "",
                                          "10.example.org"};
    for (size_t i = 0; i < ARRAY_COUNT(inside); i++) {
        if (!address_is_private(inside[i]))
            fail_msg("%s", inside[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(outside); i++) {
        if (address_is_private(outside[i]))
            fail_msg("%s", outside[i]);
    }
}

static void loopback_is_less_than_private(void **state)
{
    (void)state;
    assert_true(address_is_loopback("127.3.2.1") && address_is_loopback("[::1]") && address_is_loopback("localhost"));
    assert_false(address_is_loopback("10.0.0.1") || address_is_loopback("[fe80::1]") ||
                 address_is_loopback("example.org"));
}

static void only_what_leads_from_outside_to_the_inside_is_inward(void **state)
{
    (void)state;
    static const char *const outside[] = {"https://a.test/x", "http://8.8.8.8/"};
    static const char *const inside[] = {"http://127.0.0.1/x", "http://10.0.0.1:8080/", "http://[::1]/"};
    for (size_t i = 0; i < ARRAY_COUNT(inside); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(outside); j++) {
            assert_true(http_is_inward(outside[j], inside[i]));
            assert_false(http_is_inward(inside[i], outside[j]));
            assert_false(http_is_inward(outside[j], outside[(j + 1) % ARRAY_COUNT(outside)]));
        }
        assert_false(http_is_inward(inside[i], inside[(i + 1) % ARRAY_COUNT(inside)]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_inside_are_known_in_every_spelling),
        cmocka_unit_test(only_what_leads_from_outside_to_the_inside_is_inward),
        cmocka_unit_test(loopback_is_less_than_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
