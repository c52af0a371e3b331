/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of line/steps: the order in which trees are made and packed. */
#include "check.h"

#include "line/steps.h"

#include "base/clock.h"

struct fixture {
    struct arena arena;
    struct steps steps;
};

static int fixture_start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    *state = fixture;
    return 0;
}

static int fixture_stop(void **state)
{
    struct fixture *fixture = *state;
    arena_done(&fixture->arena);
    free(fixture);
    return 0;
}

/* Checks what the next step is: "tree 0", "pack 2". */
static void check_next(struct fixture *fixture, const char *wanted)
{
    struct step step;
    assert_true(steps_take(&fixture->steps, &step));
    assert_string_equal(arena_printf(&fixture->arena, "%s %zu", step.is_packing ? "pack" : "tree", step.order), wanted);
}

static void check_end(struct fixture *fixture)
{
    struct step step;
    assert_false(steps_take(&fixture->steps, &step));
}

static void an_order_alone_in_its_group_is_packed_before_the_next_tree(void **state)
{
    struct fixture *fixture = *state;
    static const size_t groups[] = {0, 1};
    steps_init(&fixture->arena, groups, 2, &fixture->steps);
    check_next(fixture, "tree 0");
    steps_tree_done(&fixture->steps, 0, true);
    check_next(fixture, "pack 0");
    check_next(fixture, "tree 1");
    steps_tree_done(&fixture->steps, 1, true);
    check_next(fixture, "pack 1");
    check_end(fixture);
}

static void an_order_waits_for_its_gate_while_others_go_on(void **state)
{
    struct fixture *fixture = *state;
    static const size_t groups[] = {0, 1, 2};
    steps_init(&fixture->arena, groups, 3, &fixture->steps);
    steps_wait_for(&fixture->steps, 0, 1);
    check_next(fixture, "tree 1");
    check_next(fixture, "tree 2");
    steps_tree_done(&fixture->steps, 1, false);
    steps_open(&fixture->steps, 1);
    check_next(fixture, "tree 0");
    steps_tree_done(&fixture->steps, 0, false);
    steps_tree_done(&fixture->steps, 2, false);
    check_end(fixture);
}

static void a_group_is_packed_when_the_last_of_its_trees_exists(void **state)
{
    struct fixture *fixture = *state;
    static const size_t groups[] = {0, 1, 0, 1};
    steps_init(&fixture->arena, groups, 4, &fixture->steps);
    check_next(fixture, "tree 0");
    steps_tree_done(&fixture->steps, 0, true);
    check_next(fixture, "tree 1");
    check_next(fixture, "tree 2");
    check_next(fixture, "tree 3");
    steps_tree_done(&fixture->steps, 3, true);
    steps_tree_done(&fixture->steps, 2, true);
    check_next(fixture, "pack 0");
    check_next(fixture, "pack 2");
    steps_tree_done(&fixture->steps, 1, true);
    check_next(fixture, "pack 1");
    check_next(fixture, "pack 3");
    check_end(fixture);
}

static void a_tree_that_failed_is_not_packed_and_holds_up_nobody(void **state)
{
    struct fixture *fixture = *state;
    static const size_t groups[] = {0, 0, 0};
    steps_init(&fixture->arena, groups, 3, &fixture->steps);
    for (size_t i = 0; i < 3; i++)
        check_next(fixture, arena_printf(&fixture->arena, "tree %zu", i));
    steps_tree_done(&fixture->steps, 0, true);
    steps_tree_done(&fixture->steps, 2, true);
    steps_tree_done(&fixture->steps, 1, false);
    check_next(fixture, "pack 0");
    check_next(fixture, "pack 2");
    check_end(fixture);
}

static void a_batch_of_nothing_has_no_step(void **state)
{
    struct fixture *fixture = *state;
    steps_init(&fixture->arena, NULL, 0, &fixture->steps);
    check_end(fixture);
}

struct waiter {
    struct fixture *fixture;
    struct step step;
    bool is_taken;
};

static void *take_one(void *argument)
{
    struct waiter *waiter = argument;
    waiter->is_taken = steps_take(&waiter->fixture->steps, &waiter->step);
    return NULL;
}

static void who_finds_no_step_waits_for_the_trees_of_others(void **state)
{
    struct fixture *fixture = *state;
    static const size_t groups[] = {0};
    struct waiter waiters[2] = {{.fixture = fixture}, {.fixture = fixture}};
    pthread_t threads[2];
    steps_init(&fixture->arena, groups, 1, &fixture->steps);
    check_next(fixture, "tree 0");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_one, &waiters[i]), 0);
    clock_sleep_ms(50);
    steps_tree_done(&fixture->steps, 0, true);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(waiters[0].is_taken + waiters[1].is_taken, 1); /* one packs, the other is not needed any more */
    assert_true(waiters[waiters[0].is_taken ? 0 : 1].step.is_packing);
}

#define WITH_STEPS(function) cmocka_unit_test_setup_teardown(function, fixture_start, fixture_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STEPS(an_order_alone_in_its_group_is_packed_before_the_next_tree),
        WITH_STEPS(an_order_waits_for_its_gate_while_others_go_on),
        WITH_STEPS(a_group_is_packed_when_the_last_of_its_trees_exists),
        WITH_STEPS(a_tree_that_failed_is_not_packed_and_holds_up_nobody),
        WITH_STEPS(a_batch_of_nothing_has_no_step),
        WITH_STEPS(who_finds_no_step_waits_for_the_trees_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
