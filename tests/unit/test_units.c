/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/units.h"

static void durations_need_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {{"500ms", 500},     {"90s", 90000},     {"10m", 600000},   {"10min", 600000}, {"2h", 7200000},
                {"1d", 86400000},   {"1h30m", 5400000}, {"1.5h", 5400000}, {" 3 s ", 3000},   {"0.25s", 250},
                {"2w", 1209600000}, {"1H 5M", 3900000}, {"0s", 0}};
    static const char *const bad[] = {"",       "10",    "s",   "-1s",        "1x",
                                      "1h30",   "1..5h", ".5h", "1.1234567s", "99999999999999999999s",
                                      "20000d", "1h-5m", "inf", "1e3s"};
    uint64_t ms;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!units_parse_duration(text_of(rows[i].text), &ms) || ms != rows[i].ms)
            fail_msg("%s", rows[i].text);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (units_parse_duration(text_of(bad[i]), &ms))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void sizes_need_their_unit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {{"0", 0},
                {"none", UNITS_NONE},
                {"NONE", UNITS_NONE},
                {"4096B", 4096},
                {"500M", 524288000},
                {"8G", (uint64_t)8 << 30},
                {"8GiB", (uint64_t)8 << 30},
                {"8gib", (uint64_t)8 << 30},
                {"2TB", 2000000000000u},
                {"1.5K", 1536},
                {"10 kB", 10000},
                {"1T", (uint64_t)1 << 40}};
    static const char *const bad[] = {
        "", "8", "G", "-1G", "8X", "8GG", "8G 1M", "1e9B", "99999999T", "18446744073709551616B", "nothing", "0.5"};
    uint64_t bytes;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (!units_parse_size(text_of(rows[i].text), &bytes) || bytes != rows[i].bytes)
            fail_msg("%s", rows[i].text);
    }
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        if (units_parse_size(text_of(bad[i]), &bytes))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void durations_are_printed_for_people(void **state)
{
    (void)state;
    assert_string_equal(units_duration(500).chars, "500 ms");
    assert_string_equal(units_duration(1500).chars, "1.5 s");
    assert_string_equal(units_duration(90000).chars, "90 s");
    assert_string_equal(units_duration(900000).chars, "15 min");
    assert_string_equal(units_duration(9000000).chars, "2.5 h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(durations_need_their_unit),
                                       cmocka_unit_test(sizes_need_their_unit),
                                       cmocka_unit_test(durations_are_printed_for_people)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
