/* SPDX-License-Identifier: Apache-2.0 */
/* What the repositories of one call share: who brings a blob, and which body goes first. */
#include "check.h"
#include "registry/registry_shared.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>

static const struct registry_options *options_with(struct registry_shared *shared, struct registry_options *options)
{
    *options = (struct registry_options){.is_verify_off = true, .shared = shared};
    return options;
}

static struct registry *open_one(const struct registry_options *options, const char *repository)
{
    struct reference reference = {.host = "127.0.0.1:5000", .api_host = "127.0.0.1:5000", .repository = repository};
    struct registry *registry;
    struct err err = {0};
    assert_true(registry_open(options, NULL, &reference, REGISTRY_PUSH, &registry, &err));
    return registry;
}

static void the_first_brings_a_blob_and_others_are_told_where_it_is(void **state)
{
    struct registry_shared *shared = registry_shared_new();
    struct registry_options options;
    struct registry *one = open_one(options_with(shared, &options), "ns/one"), *two = open_one(&options, "ns/two");
    struct digest digest = digest_of("blob", 4);
    const char *repository;
    struct err err = {0};
    (void)state;
    assert_true(registry_shared_claim(one, &digest, &repository, &err));
    assert_null(repository);
    registry_shared_settle(one, &digest, true);
    assert_true(registry_shared_claim(two, &digest, &repository, &err));
    assert_string_equal(repository, "ns/one");
    registry_close(one);
    registry_close(two);
    registry_shared_free(shared);
}

static void who_could_not_bring_a_blob_leaves_it_to_the_next(void **state)
{
    struct registry_shared *shared = registry_shared_new();
    struct registry_options options;
    struct registry *one = open_one(options_with(shared, &options), "ns/one"), *two = open_one(&options, "ns/two");
    struct digest digest = digest_of("blob", 4);
    const char *repository;
    struct err err = {0};
    (void)state;
    assert_true(registry_shared_claim(one, &digest, &repository, &err));
    registry_shared_settle(one, &digest, false);
    assert_true(registry_shared_claim(two, &digest, &repository, &err));
    assert_null(repository);
    registry_close(one);
    registry_close(two);
    registry_shared_free(shared);
}

static void a_wait_for_a_blob_ends_with_the_run(void **state)
{
    atomic_bool cancel = true;
    struct registry_shared *shared = registry_shared_new();
    struct registry_options options;
    struct registry *one = open_one(options_with(shared, &options), "ns/one");
    struct digest digest = digest_of("blob", 4);
    const char *repository;
    struct err err = {0};
    (void)state;
    options.cancel = &cancel;
    assert_true(registry_shared_claim(one, &digest, &repository, &err));
    assert_false(registry_shared_claim(one, &digest, &repository, &err));
    CHECK_ERR(&err, ERR_CANCELLED, "127.0.0.1:5000/ns/one");
    registry_close(one);
    registry_shared_free(shared);
}

static void without_others_all_is_as_for_one(void **state)
{
    struct registry_options options;
    struct registry *one = open_one(options_with(NULL, &options), "ns/one");
    struct digest digest = digest_of("blob", 4);
    const char *repository = "?";
    struct err err = {0};
    (void)state;
    assert_true(registry_shared_claim(one, &digest, &repository, &err) && !repository);
    registry_shared_settle(one, &digest, true);
    assert_true(registry_shared_enter(one, 1, &err));
    registry_shared_leave(one);
    registry_close(one);
}

/* A body that waits for its place, and the order in which they got one. */
struct waiting {
    struct registry *registry;
    uint64_t bytes;
    _Atomic size_t *count;
    size_t number;
};

static void *enter(void *argument)
{
    struct waiting *waiting = argument;
    struct err err = {0};
    if (registry_shared_enter(waiting->registry, waiting->bytes, &err)) {
        waiting->number = atomic_fetch_add(waiting->count, 1) + 1;
        registry_shared_leave(waiting->registry);
    }
    return NULL;
}

static void the_biggest_body_of_those_that_wait_goes_first(void **state)
{
    enum { PLACES = 12, WAITING = 3 };
    struct registry_shared *shared = registry_shared_new();
    struct registry_options options;
    struct registry *one = open_one(options_with(shared, &options), "ns/one");
    struct waiting items[WAITING] = {{.bytes = 10}, {.bytes = 30}, {.bytes = 20}};
    pthread_t threads[WAITING];
    _Atomic size_t count = 0;
    struct err err = {0};
    (void)state;
    for (int i = 0; i < PLACES; i++)
        assert_true(registry_shared_enter(one, 1, &err));
    for (int i = 0; i < WAITING; i++) {
        items[i].registry = one;
        items[i].count = &count;
        assert_int_equal(pthread_create(&threads[i], NULL, enter, &items[i]), 0);
    }
    clock_sleep_ms(300); /* until all of them wait */
    assert_int_equal(atomic_load(&count), 0);
    registry_shared_leave(one);
    for (int i = 0; i < WAITING; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(items[1].number, 1);
    assert_int_equal(items[2].number, 2);
    assert_int_equal(items[0].number, 3);
    registry_close(one);
    registry_shared_free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_brings_a_blob_and_others_are_told_where_it_is),
        cmocka_unit_test(who_could_not_bring_a_blob_leaves_it_to_the_next),
        cmocka_unit_test(a_wait_for_a_blob_ends_with_the_run),
        cmocka_unit_test(without_others_all_is_as_for_one),
        cmocka_unit_test(the_biggest_body_of_those_that_wait_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
