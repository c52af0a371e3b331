/* SPDX-License-Identifier: Apache-2.0 */
/* Steps for every item of an array, several at once */
#include "base/clock.h"
#include "base/each.h"
#include "base/list.h"
#include "check.h"

#include <stdatomic.h>

#define COUNT 40

/* What the steps share: how many run now, and at most. */
struct watch {
    atomic_int running, most, begun;
    bool has_several; /* a step waits until another runs, too: threads may begin late on a busy machine */
};

struct item {
    enum err_kind kind; /* that it fails with */
    unsigned wait_ms;
    bool is_done;
};

static bool step(void *context, void *argument, struct err *err)
{
    struct watch *watch = context;
    struct item *item = argument;
    atomic_fetch_add(&watch->begun, 1);
    int running = atomic_fetch_add(&watch->running, 1) + 1, most = atomic_load(&watch->most);
    while (most < running && !atomic_compare_exchange_weak(&watch->most, &most, running))
        ;
    for (unsigned i = 0; watch->has_several && i < 1000 && atomic_load(&watch->most) < 2; i++)
        clock_sleep_ms(10);
    clock_sleep_ms(item->wait_ms);
    atomic_fetch_sub(&watch->running, 1);
    item->is_done = true;
    if (item->kind != ERR_NONE)
        err_set(err, item->kind, "item of kind %d after %u ms", (int)item->kind, item->wait_ms);
    return item->kind == ERR_NONE;
}

static void all_are_done_by_several_and_no_more_than_asked_for(void **state)
{
    (void)state;
    static const size_t threads[] = {1, 3, 0};
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        struct err err = {0};
        struct watch watch = {.has_several = threads[i] != 1};
        struct item items[COUNT] = {0};
        for (size_t j = 0; j < COUNT; j++)
            items[j].wait_ms = 5;
        CHECK_OK(each_run(
                     (struct each_items){
                         .items = items, .count = COUNT, .each_bytes = sizeof *items, .threads_max = threads[i]},
                     step, &watch, &err),
                 &err);
        for (size_t j = 0; j < COUNT; j++)
            assert_true(items[j].is_done);
        assert_int_equal(watch.begun, COUNT);
        assert_true(threads[i] == 1 ? watch.most == 1 : watch.most > 1);
        assert_true(watch.most <= (threads[i] ? (int)threads[i] : 16));
    }
}

static void without_items_nothing_is_done(void **state)
{
    (void)state;
    struct err err = {0};
    CHECK_OK(each_run((struct each_items){.each_bytes = 1}, step, NULL, &err), &err);
}

static void the_gravest_failure_counts_and_of_several_the_first(void **state)
{
    (void)state;
    struct err err = {0};
    struct watch watch = {0};
    struct item items[] = {
        {ERR_NETWORK, 0, false}, {ERR_TRUST, 30, false}, {ERR_NONE, 0, false}, {ERR_TRUST, 0, false}};
    assert_false(each_run((struct each_items){.items = items, .count = ARRAY_COUNT(items), .each_bytes = sizeof *items},
                          step, &watch, &err));
    CHECK_ERR(&err, ERR_TRUST, "after 30 ms");
    assert_int_equal(watch.begun, ARRAY_COUNT(items));
}

static void who_stops_begins_nothing_after_a_failure(void **state)
{
    (void)state;
    struct err err = {0};
    struct watch watch = {0};
    struct item items[COUNT] = {{ERR_NONE, 0, false}, {ERR_PUBLISH, 0, false}};
    struct each_items one = {
        .items = items, .count = COUNT, .each_bytes = sizeof *items, .threads_max = 1, .is_stopping = true};
    assert_false(each_run(one, step, &watch, &err));
    CHECK_ERR(&err, ERR_PUBLISH, "item of kind");
    assert_int_equal(watch.begun, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_done_by_several_and_no_more_than_asked_for),
        cmocka_unit_test(without_items_nothing_is_done),
        cmocka_unit_test(the_gravest_failure_counts_and_of_several_the_first),
        cmocka_unit_test(who_stops_begins_nothing_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
