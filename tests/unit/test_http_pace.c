/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/list.h"
#include "io/http_pace.h"

/* Looks every 100 ms for so many seconds at a transfer of that rate; returns the first verdict that is not fine, and
 * when it came. */
static enum http_pace_verdict watch(uint64_t bytes_per_s, unsigned seconds, size_t active_count, bool is_other_there,
                                    unsigned *ret_seconds)
{
    struct http_pace pace = {0};
    for (uint64_t ms = 1; ms <= (uint64_t)seconds * 1000; ms += 100) {
        struct http_pace_look look = {.now_ms = 1000000 + ms,
                                      .received_bytes = ms * bytes_per_s / 1000,
                                      .slow_after_ms = HTTP_SLOW_AFTER_MS,
                                      .active_count = active_count,
                                      .is_other_there = is_other_there};
        enum http_pace_verdict verdict = http_pace_look(&pace, &look);
        *ret_seconds = (unsigned)(ms / 1000);
        if (verdict != HTTP_PACE_FINE)
            return verdict;
    }
    return HTTP_PACE_FINE;
}

static void below_twenty_kilobytes_a_second_another_mirror_is_wanted_after_a_minute(void **state)
{
    (void)state;
    unsigned seconds;
    assert_int_equal(watch(1331, 3600, 1, true, &seconds), HTTP_PACE_SLOW);
    assert_true(seconds >= 59 && seconds <= 61);
    assert_int_equal(watch(19000, 3600, 1, true, &seconds), HTTP_PACE_SLOW);
    assert_int_equal(watch(21000, 3600, 1, true, &seconds), HTTP_PACE_FINE);
}

static void without_another_mirror_ten_kilobytes_a_second_are_enough(void **state)
{
    (void)state;
    unsigned seconds;
    assert_int_equal(watch(10100, 36000, 1, false, &seconds), HTTP_PACE_FINE);
    assert_int_equal(watch(1331, 3600, 1, false, &seconds), HTTP_PACE_HOPELESS);
    assert_true(seconds > 300 && seconds < 360);
    assert_int_equal(watch(0, 3600, 1, false, &seconds), HTTP_PACE_HOPELESS);
    assert_true(seconds >= 299 && seconds <= 302);
    assert_int_equal(watch(6000, 3600, 0, false, &seconds), HTTP_PACE_HOPELESS); /* it counts as one itself */
}

static void transfers_that_share_a_slow_line_share_what_is_wanted(void **state)
{
    (void)state;
    unsigned seconds;
    assert_int_equal(watch(1331, 3600, 12, false, &seconds), HTTP_PACE_FINE);
    assert_int_equal(watch(300, 3600, 12, false, &seconds), HTTP_PACE_HOPELESS);
    assert_true(seconds < 600);
}

static void a_transfer_that_becomes_slow_is_seen_however_much_came_before(void **state)
{
    (void)state;
    struct http_pace pace = {0};
    uint64_t received_bytes = 500000000, ms = 0;
    enum http_pace_verdict verdict = HTTP_PACE_FINE;
    for (; ms < 200000 && verdict == HTTP_PACE_FINE; ms += 100) {
        received_bytes += ms < 30000 ? 100000000 : 100;
        struct http_pace_look look = {1000 + ms, received_bytes, HTTP_SLOW_AFTER_MS, 1, true};
        verdict = http_pace_look(&pace, &look);
    }
    assert_int_equal(verdict, HTTP_PACE_SLOW);
    assert_true(ms < 125000);
}

static void time_in_which_the_process_was_stopped_does_not_count(void **state)
{
    (void)state;
    struct http_pace pace = {0};
    struct http_pace_look look = {1000, 1000, HTTP_SLOW_AFTER_MS, 1, true};
    assert_int_equal(http_pace_look(&pace, &look), HTTP_PACE_FINE);
    look.now_ms += 3600000;
    assert_int_equal(http_pace_look(&pace, &look), HTTP_PACE_FINE);
    look.now_ms += 100;
    assert_int_equal(http_pace_look(&pace, &look), HTTP_PACE_FINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(below_twenty_kilobytes_a_second_another_mirror_is_wanted_after_a_minute),
        cmocka_unit_test(without_another_mirror_ten_kilobytes_a_second_are_enough),
        cmocka_unit_test(transfers_that_share_a_slow_line_share_what_is_wanted),
        cmocka_unit_test(a_transfer_that_becomes_slow_is_seen_however_much_came_before),
        cmocka_unit_test(time_in_which_the_process_was_stopped_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
