/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "base/digest.h"
#include "base/flight.h"
#include "base/map.h"
#include "base/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

static void an_error_keeps_its_kind_and_gains_prefixes(void **state)
{
    (void)state;
    struct err err = {0};
    err_set(&err, ERR_TRUST, "digest differs");
    err_wrap(&err, "package %s", "libc6");
    CHECK_ERR(&err, ERR_TRUST, "package libc6: digest differs");
}

static void a_text_that_is_too_long_is_cut_and_still_ends(void **state)
{
    (void)state;
    struct err err = {0};
    char *text = malloc(10000);
    memset(text, 'x', 9999);
    text[9999] = '\0';
    err_set(&err, ERR_USAGE, "%s", text);
    assert_true(strlen(err.text) < sizeof err.text);
    assert_non_null(strstr(err.text, "…"));
    free(text);
}

static void a_name_in_an_error_makes_no_line_of_its_own(void **state)
{
    (void)state;
    struct err err = {0};
    err_set(&err, ERR_MALFORMED, "file %s", "/etc/a\n  b\n\033[31mimgfactory: error: forged");
    err_wrap(&err, "package %s", "x\ny");
    assert_string_equal(err.text, "package x?y: file /etc/a?  b??[31mimgfactory: error: forged");
    err_clear(&err);
    err_set(&err, ERR_RESOLVE, "%s:\n  nothing provides it", "a\nb"); /* a message of several lines */
    err_add(&err, "; did you mean %s?", "x\ny");
    err_wrap(&err, "image");
    assert_string_equal(err.text, "image: a?b:\n  nothing provides it; did you mean x?y?");
}

static void an_error_names_the_limit_that_was_reached(void **state)
{
    (void)state;
    const struct {
        int errnum;
        const char *part;
    } limits[] = {{EMFILE, "ulimit -n"}, {ENFILE, "fs.file-max"}, {EAGAIN, "ulimit -u"}};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        err_set_errno(&err, limits[i].errnum, "cannot open it");
        CHECK_ERR(&err, ERR_LOCAL, limits[i].part);
        assert_true(err_is_shortage(&err));
        err_clear(&err);
    }
    err_set_errno(&err, ENOENT, "cannot open it");
    assert_string_equal(err.text, "cannot open it: No such file or directory");
    assert_false(err_is_shortage(&err));
}

static void verification_outranks_the_network_in_a_batch(void **state)
{
    (void)state;
    assert_true(err_kind_is_graver(ERR_TRUST, ERR_NETWORK));
    assert_true(err_kind_is_graver(ERR_MALFORMED, ERR_LOCAL));
    assert_true(err_kind_is_graver(ERR_RESOLVE, ERR_NETWORK));
    assert_false(err_kind_is_graver(ERR_NETWORK, ERR_USAGE));
    assert_true(err_kind_is_graver(ERR_NETWORK, ERR_NONE));
}

static void arena_memory_is_zeroed_aligned_and_survives_growth(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char *small = arena_strdup(&arena, "kept");
    for (size_t i = 1; i < 2000; i++) {
        char *bytes = arena_alloc(&arena, i);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < i; j++)
            assert_int_equal(bytes[j], 0);
        memset(bytes, 0xFF, i);
    }
    assert_string_equal(small, "kept");
}

static void a_map_finds_what_was_added_and_keeps_the_order(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    struct map map = {.arena = &arena};
    for (size_t i = 0; i < 5000; i++) {
        char *key = arena_printf(&arena, "key%zu", i);
        assert_true(map_add(&map, text_of(key), key));
        assert_false(map_add(&map, text_of(key), key));
    }
    for (size_t i = 0; i < 5000; i++) {
        char *key = arena_printf(&arena, "key%zu", i);
        assert_string_equal(map_get(&map, text_of(key)), key);
        assert_true(text_is(map.slots.items[i].key, key));
    }
    assert_null(map_get(&map, TEXT("absent")));
    map_set(&map, TEXT("key7"), (char[]){"new"});
    assert_string_equal(map_get(&map, TEXT("key7")), "new");
}

/* FIPS 180-4 example "abc". */
static void sha256_of_abc_is_the_standards_example(void **state)
{
    (void)state;
    struct digest digest = digest_of("abc", 3), parsed;
    const char *hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_string_equal(digest_hex(&digest).chars, hex);
    assert_true(digest_parse(text_of(hex), &parsed));
    assert_true(digest_eq(&digest, &parsed));
    assert_false(digest_parse(text_of("ba78"), &parsed));
    assert_false(digest_parse(text_of("zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), &parsed));
}

static void add_one(void *item)
{
    atomic_fetch_add((_Atomic int *)item, 1);
}

static void every_task_runs_once_before_the_wait_ends(void **state)
{
    (void)state;
    struct err err = {0};
    struct workers *workers;
    CHECK_OK(workers_start(4, &workers, &err), &err);
    _Atomic int counters[300] = {0};
    void *items[300];
    for (size_t i = 0; i < 300; i++)
        items[i] = &counters[i];
    workers_run_all(workers, add_one, items, 300);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(atomic_load(&counters[i]), 1);
    for (size_t i = 0; i < 100; i++)
        workers_submit(workers, add_one, &counters[0]);
    workers_stop(workers);
    assert_int_equal(atomic_load(&counters[0]), 101);
}

static bool fail_when_asked(void *argument, struct err *err)
{
    if (*(const bool *)argument)
        err_set(err, ERR_RESOLVE, "as asked");
    return !*(const bool *)argument;
}

static void a_called_function_gives_back_its_value_and_its_error(void **state)
{
    (void)state;
    struct err err = {0};
    struct workers *workers;
    bool fails = false;
    CHECK_OK(workers_start(1, &workers, &err), &err);
    CHECK_OK(workers_call(workers, fail_when_asked, &fails, &err), &err);
    fails = true;
    assert_false(workers_call(workers, fail_when_asked, &fails, &err));
    CHECK_ERR(&err, ERR_RESOLVE, "as asked");
    workers_stop(workers);
}

struct making {
    struct flight *flight;
    _Atomic int made;
    bool is_failing;
};

static bool make_slowly(void *argument, void **ret_result, struct err *err)
{
    struct making *making = argument;
    atomic_fetch_add(&making->made, 1);
    (void)usleep(20000);
    if (making->is_failing) {
        err_set(err, ERR_NETWORK, "mirror is away");
        return false;
    }
    *ret_result = making;
    return true;
}

static void *get_one(void *argument)
{
    struct making *making = argument;
    struct err err = {0};
    void *result = NULL;
    bool is_good = flight_get(making->flight, "key", make_slowly, making, &result, &err);
    if (making->is_failing)
        return !is_good && err.kind == ERR_NETWORK ? making : NULL;
    return is_good ? result : NULL;
}

static void check_flight(bool is_failing)
{
    struct making making = {.flight = flight_new(), .is_failing = is_failing};
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_one, &making), 0);
    for (size_t i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, &making);
    }
    assert_int_equal(atomic_load(&making.made), 1);
    flight_free(making.flight);
}

static void a_thing_is_made_once_and_its_failure_is_shared(void **state)
{
    (void)state;
    check_flight(false);
    check_flight(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_keeps_its_kind_and_gains_prefixes),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_and_still_ends),
        cmocka_unit_test(a_name_in_an_error_makes_no_line_of_its_own),
        cmocka_unit_test(an_error_names_the_limit_that_was_reached),
        cmocka_unit_test(verification_outranks_the_network_in_a_batch),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_survives_growth),
        cmocka_unit_test(a_map_finds_what_was_added_and_keeps_the_order),
        cmocka_unit_test(sha256_of_abc_is_the_standards_example),
        cmocka_unit_test(every_task_runs_once_before_the_wait_ends),
        cmocka_unit_test(a_called_function_gives_back_its_value_and_its_error),
        cmocka_unit_test(a_thing_is_made_once_and_its_failure_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
