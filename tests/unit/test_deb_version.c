/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "deb/deb_version.h"

static void check(const char *less, const char *more)
{
    if (deb_version_compare(text_of(less), text_of(more)) >= 0 ||
        deb_version_compare(text_of(more), text_of(less)) <= 0)
        fail_msg("%s is not less than %s", less, more);
}

static void versions_are_ordered_as_policy_says(void **state)
{
    (void)state;
    static const char *const ordered[] = {"0~",   "0",  "0+",        "1~~",   "1~~a",     "1~",      "1",
                                          "1a",   "1+", "1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.9",
                                          "1.10", "2",  "10",        "1:0",   "1:0.1-1",  "2:0",     "10:0"};
    for (size_t i = 0; i + 1 < ARRAY_COUNT(ordered); i++) {
        for (size_t k = i + 1; k < ARRAY_COUNT(ordered); k++)
            check(ordered[i], ordered[k]);
    }
}

static void other_spellings_of_a_version_are_equal_to_it(void **state)
{
    (void)state;
    static const char *const equal[][2] = {{"1", "0:1"},  {"1", "1-0"},      {"1", "1-00"}, {"1.0", "1.00"},
                                           {"2.", "2.0"}, {"1-1a", "1-1a0"}, {"01", "1"}};
    for (size_t i = 0; i < ARRAY_COUNT(equal); i++) {
        assert_int_equal(deb_version_compare(text_of(equal[i][0]), text_of(equal[i][1])), 0);
        assert_int_equal(deb_version_compare(text_of(equal[i][1]), text_of(equal[i][0])), 0);
    }
    check("1-0~1", "1"); /* no revision is a 0 */
    check("1", "1-0a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_ordered_as_policy_says),
        cmocka_unit_test(other_spellings_of_a_version_are_equal_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
